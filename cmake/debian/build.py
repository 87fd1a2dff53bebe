#!/usr/bin/python3
"""Makes a Debian package of what has been built: its name goes to the standard output.

usage: build.py BUILD OUT   (the build folder, and the folder for the package)

The same build gives the same bytes: dates are those of SOURCE_DATE_EPOCH (seconds), else of the last commit,
else of CHANGELOG.md. Exit code 1 where a command fails, 2 where a tool is missing or an argument is wrong.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from email.utils import formatdate
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

# Tools, and Debian's packages that have them.
TOOLS = {"cmake": "cmake", "dpkg-deb": "dpkg", "dpkg-gencontrol": "dpkg-dev", "dpkg-shlibdeps": "dpkg-dev",
         "strip": "binutils"}

# Below Debian's own first revision, which would be 1.
REVISION = "0local1"


def run(*command, **options):
    try:
        return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True,
                              **options).stdout
    except subprocess.CalledProcessError as error:
        print(error.stdout + error.stderr, end="", file=sys.stderr)
        sys.exit(f"{command[0]} failed with exit code {error.returncode}")


def require_tools():
    """Exits with 2 where a tool is not there, and says what to do."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(dict.fromkeys(TOOLS[tool] for tool in missing))
        print(f"not on PATH: {', '.join(missing)}. `make deb` installs what is missing on Debian 12; by hand: "
              f"apt-get install {packages}", file=sys.stderr)
        sys.exit(2)


def date_of_the_tree():
    """In seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        if not re.fullmatch(r"\d{1,11}", given):
            print(f"SOURCE_DATE_EPOCH has to be a number of seconds, and is '{given}'", file=sys.stderr)
            sys.exit(2)
        return int(given)
    if shutil.which("git"):
        commit = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True,
                                check=False)
        if commit.returncode == 0:
            return int(commit.stdout)
    return int((ROOT / "CHANGELOG.md").stat().st_mtime)


def install(build, tree):
    """What `make install` installs, in Debian's places (cmake/install.cmake)."""
    for component in ("Unspecified", "debian"):
        run("cmake", "--install", build, "--prefix", "/usr", "--component", component, "--strip",
            env={**os.environ, "DESTDIR": str(tree)})
    for archive in (tree / "usr/lib").rglob("*.a"):  # as debhelper strips one
        run("strip", "--strip-debug", "--remove-section=.comment", "--remove-section=.note",
            "--enable-deterministic-archives", archive)
    # CMake's --strip leaves these, which say by which compiler it was.
    for file in compiled(tree):
        run("strip", "--remove-section=.comment", "--remove-section=.note", file)


def compiled(tree):
    """The files that shared libraries are linked to."""
    files = (p for p in (tree / "usr").rglob("*") if p.is_file())
    return sorted(p for p in files if p.read_bytes()[:4] == b"\x7fELF")


def compress(file, text):
    """As Debian's policy asks for manual pages and changes, without a date or a name inside."""
    file.write_bytes(gzip.compress(text, compresslevel=9, mtime=0))


def write_documents(tree, changes):
    page = tree / "usr/share/man/man1/fluidbatch.1"
    compress(page.with_suffix(".1.gz"), page.read_bytes())
    page.unlink()
    documents = tree / "usr/share/doc/fluidbatch"
    shutil.copy(HERE / "copyright", documents / "copyright")
    compress(documents / "changelog.gz", (ROOT / "CHANGELOG.md").read_bytes())
    compress(documents / "changelog.Debian.gz", changes.encode())


def changes_of_the_package(build, date):
    """The Debian changelog, of one entry."""
    version = re.search(r"^CMAKE_PROJECT_VERSION:STATIC=(.+)$", (build / "CMakeCache.txt").read_text(), re.M)[1]
    maintainer = re.search(r"^Maintainer: (.+)$", (HERE / "control").read_text(), re.M)[1]
    return (f"fluidbatch ({version}-{REVISION}) UNRELEASED; urgency=medium\n\n"
            "  * Packaged from the source tree; changelog.gz has its changes.\n\n"
            f" -- {maintainer}  {formatdate(date)}\n")


def python_dependency(tree):
    """The module's compiled half is of one version of Python, which its name says."""
    core, = (tree / "usr/lib/python3/dist-packages/fluidbatch").glob("_core.cpython-*.so")
    minor = int(re.match(r"_core\.cpython-3(\d+)-", core.name)[1])
    return f"python3 (>= 3.{minor}~), python3 (<< 3.{minor + 1}~)"


def write_control(tree, folder, changes):
    """DEBIAN/: the names of shared libraries become dependencies, and each file gets its checksum."""
    (folder / "debian").mkdir()
    shutil.copy(HERE / "control", folder / "debian")
    (folder / "debian/changelog").write_text(changes)
    (folder / "debian/substvars").write_text(f"python:Depends={python_dependency(tree)}\n")
    control = tree / "DEBIAN"
    control.mkdir()
    run("dpkg-shlibdeps", "-Tdebian/substvars", *(f"-e{file}" for file in compiled(tree)), cwd=folder)
    run("dpkg-gencontrol", "-pfluidbatch", f"-P{tree}", "-Tdebian/substvars", "-fdebian/files", cwd=folder)
    for script in ("postinst", "prerm"):
        shutil.copyfile(HERE / script, control / script)
        (control / script).chmod(0o755)
    files = sorted(p.relative_to(tree) for p in (tree / "usr").rglob("*") if p.is_file())
    (control / "md5sums").write_text(run("md5sum", *files, cwd=tree))


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    require_tools()
    build, out = (Path(argument).resolve() for argument in arguments)
    if not (build / "CMakeCache.txt").is_file():
        print(f"{build}: not a build folder; `make deb` builds what the package holds", file=sys.stderr)
        sys.exit(2)
    os.umask(0o022)
    date = date_of_the_tree()
    os.environ["SOURCE_DATE_EPOCH"] = str(date)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = folder / "tree"
        tree.mkdir(mode=0o755)
        install(build, tree)
        changes = changes_of_the_package(build, date)
        write_documents(tree, changes)
        write_control(tree, folder, changes)
        out.mkdir(parents=True, exist_ok=True)
        # One thread: with more, where the compressor cuts depends on their number.
        run("dpkg-deb", "--root-owner-group", "--threads-max=1", "--build", tree, folder)
        package, = folder.glob("*.deb")
        shutil.copyfile(package, out / package.name)
        print(out / package.name)


if __name__ == "__main__":
    main(sys.argv[1:])
