#!/usr/bin/python3
"""The Debian package, from its bytes to its purge: lintian, an installation, what is installed at work, and nothing left behind.

    test_deb.py BUILD PACKAGE   (the build folder, and what cmake/debian/build.py has made of it; `make test-deb` gives both)

As root, where no fluidbatch is installed, the package goes into this system and out of it again; else into a folder, by fakeroot, which has
neither dependencies nor Debian's byte code. A fluidbatch that is there is left alone.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))
from onnx_file import two_convolutions  # noqa: E402

# Tools, and Debian's packages that have them.
TOOLS = {"lintian": "lintian", "fakeroot": "fakeroot", "man": "man-db", "pkg-config": "pkg-config", "cmake": "cmake", "ninja": "ninja-build",
         "g++": "g++"}


def run(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600, check=False, **options)
    if result.returncode != 0:
        sys.exit(f"FAILED with exit code {result.returncode}: {' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


def require(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def require_tools():
    """Exits with 2 where a tool is not there, and says what to do."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"not on PATH: {', '.join(missing)}. `make test-deb` installs what is missing on Debian 12; by hand: "
              f"apt-get install {' '.join(TOOLS[tool] for tool in missing)}", file=sys.stderr)
        sys.exit(2)


def paths_below(*folders):
    """All names in them, also of folders, whose links are not followed."""
    return {os.path.join(folder, name) for top in folders for folder, folders_in_it, files in os.walk(top) for name in folders_in_it + files}


def may_be_installed_here(package):
    """Whether nothing of this system would be replaced, by the word of dpkg and by what is there."""
    known = subprocess.run(["dpkg-query", "-W", "fluidbatch"], capture_output=True, check=False).returncode == 0
    files = (line.split()[5] for line in run("dpkg-deb", "--contents", package).splitlines() if not line.startswith("d"))
    return os.geteuid() == 0 and not known and not any(os.path.lexists(Path("/") / file) for file in files)


class System:
    """Where the package is installed: this system where `top` is /, else a folder that is one to dpkg."""

    def __init__(self, top):
        self.top = top
        self.real = top == Path("/")
        self.usr = top / "usr"
        self.program = self.usr / "bin/fluidbatch"
        if not self.real:
            (top / "var/lib/dpkg").mkdir(parents=True)
            (top / "var/lib/dpkg/status").touch()

    def dpkg(self, *arguments):
        command = ["dpkg", "--path-include=/usr/share/*"]  # small images of Debian leave pages and documents out
        if not self.real:
            command = ["fakeroot", *command, f"--root={self.top}", "--force-depends", "--force-script-chrootless"]
        run(*command, *arguments, env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "DEBIAN_FRONTEND": "noninteractive"})

    def paths(self):
        return paths_below(self.usr, self.top / "etc")

    @contextlib.contextmanager
    def installed(self, package):
        """Installs it for the body of a `with`, and purges it: then all is as it was."""
        before = self.paths()
        try:
            self.dpkg("--install", package)
            yield
        except BaseException:
            with contextlib.suppress(SystemExit):
                self.dpkg("--purge", "fluidbatch")
            raise
        self.dpkg("--purge", "fluidbatch")
        after = self.paths()
        require(after <= before, "left behind:\n" + "\n".join(sorted(after - before)))
        require(before <= after, "taken away:\n" + "\n".join(sorted(before - after)))
        require(not list((self.top / "var/lib/dpkg/info").glob("fluidbatch.*")), "dpkg still knows of fluidbatch")

    def run(self, *command, **environment):
        """In the working folder, as users do; what is in a folder has to be told to Python, CMake and pkg-config."""
        inherited = {name: value for name, value in os.environ.items()
                     if name not in ("PYTHONPATH", "CMAKE_PREFIX_PATH", "PKG_CONFIG_PATH", "FLUIDBATCH_SHARE")}
        if not self.real:
            finders, = self.usr.glob("lib/*/pkgconfig")
            inherited |= {"PYTHONPATH": str(self.usr / "lib/python3/dist-packages"), "CMAKE_PREFIX_PATH": str(self.usr),
                          "PKG_CONFIG_PATH": str(finders)}
        return run(*command, env=inherited | environment)


def same_files(one, other):
    files = sorted(p.relative_to(one) for p in one.rglob("*.*") if p.is_file())
    return files and all((one / file).read_bytes() == (other / file).read_bytes() for file in files)


def check_program(system, version):
    printed = system.run(system.program, "--version")
    require(version in printed.split(), f"--version says {printed!r}, and the package {version}")
    example = system.usr / "share/fluidbatch/starter/run.yaml"
    system.run(system.program, "check", example)
    system.run(system.program, "run", example, "--out", "program")
    latency = json.loads(Path("program/dynamic/summary.json").read_text())["statistics"]["mean_latency_s"]
    require(latency > 0, f"a mean latency of {latency}")
    require("ee_resnet50" in system.run(system.program, "network", "list"), "ee_resnet50 is not listed")
    system.run(system.program, "run", "report", "program", "--out", "page.html")
    Path("m.onnx").write_bytes(two_convolutions())
    system.run(system.program, "network", "import", "m.onnx", "--out", "n.yaml")

    package = system.usr / "lib/python3/dist-packages/fluidbatch"
    printed = system.run("/usr/bin/python3", "-B", "-c", f"import fluidbatch as fb; fb.run('{example}', out='module'); print(fb.__file__)")
    require(Path(printed.strip()).parent == package, f"Python has found {printed}")
    require(same_files(Path("program"), Path("module")), "program and module differ")
    require(not system.real or list(package.glob("__pycache__/*.pyc")), "no byte code, though it is installed in this system")


def check_documents(system):
    page = Path(system.run("man", "-M", system.usr / "share/man", "-w", "fluidbatch").strip())
    require(page == system.usr / "share/man/man1/fluidbatch.1.gz", f"man has found {page}")
    require("fluidbatch run" in system.run("man", "-l", page, MANWIDTH="80"), "the page has no `fluidbatch run`")
    shell = system.usr / "share/bash-completion/completions/fluidbatch"
    require("_fluidbatch" in system.run("bash", "-c", f". {shell}; complete -p fluidbatch"), "bash completes nothing")
    for name in ("zsh/vendor-completions/_fluidbatch", "fish/vendor_completions.d/fluidbatch.fish", "doc/fluidbatch/copyright",
                 "doc/fluidbatch/changelog.Debian.gz", "doc/fluidbatch/changelog.gz", "doc/fluidbatch/docs/tutorial.md"):
        require((system.usr / "share" / name).is_file(), f"no {name}")


def check_library(system):
    """The example of docs/add_a_policy.md: a policy linked into a program of one's own, and loaded by the installed one."""
    shutil.copytree(system.usr / "share/doc/fluidbatch/docs/example_policy", "policy")
    # /bin is a link to /usr/bin: from there CMake looks below / first.
    path = f"/bin:{os.environ['PATH']}"
    system.run("cmake", "-S", "policy", "-B", "build", "-G", "Ninja", PATH=path)
    system.run("cmake", "--build", "build")
    linked = dict(line.split()[:2] for line in system.run("build/mean_latency", "policy/patient.yaml").splitlines())
    system.run(system.program, "run", "policy/patient.yaml", "--plugin", "build/libpatient.so", "--out", "plugin")
    for label in ("dynamic", "patient"):
        loaded = json.loads(Path(f"plugin/{label}/summary.json").read_text())["statistics"]["mean_latency_s"]
        require(float(linked[label]) == loaded, f"{label}: {linked[label]} s where it is linked, {loaded} s where it is loaded")
    flags = system.run("pkg-config", "--libs-only-L", "--keep-system-libs", "fluidbatch").split()
    require(any(Path(flag[2:], "libfluidbatch.a").is_file() for flag in flags), f"no library where pkg-config says: {flags}")


def check_bytes(build, package):
    """Made again, where little is the same: the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        run("sh", "-c", 'umask 077; cd /; exec "$@"', "sh", "/usr/bin/python3", "-B", ROOT / "cmake/debian/build.py", build, folder,
            env={**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": folder})
        require((Path(folder) / package.name).read_bytes() == package.read_bytes(), "made again, the package has other bytes")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    require_tools()
    build, package = (Path(argument).resolve() for argument in arguments)
    require(package.is_file(), f"no file {package}")
    check_bytes(build, package)
    run("lintian", "--allow-root", "--fail-on", "error,warning", package)
    version = run("dpkg-deb", "--field", package, "Version").strip().rpartition("-")[0]
    with tempfile.TemporaryDirectory() as folder:
        here = may_be_installed_here(package)
        system = System(Path("/") if here else Path(folder) / "system")
        work = Path(folder) / "work"
        work.mkdir()
        os.chdir(work)
        with system.installed(package):
            check_program(system, version)
            check_documents(system)
            check_library(system)
        os.chdir("/")
    print(f"{package.name}: lintian finds nothing; installed in {'this system' if here else 'a folder'}, at work, purged without a trace")


if __name__ == "__main__":
    main(sys.argv[1:])
