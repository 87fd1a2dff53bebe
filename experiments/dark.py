"""Pictures that follow light and dark: a style sheet for matplotlib's SVG that answers prefers-color-scheme.

The colours that the figure was drawn in stay where they are, for whatever knows no media queries, and are those of
light.
"""

import colorsys
import re

BACK, INK = "#0d1117", "#e6edf3"  # of dark; white and black are those of light
# Letters on a coloured ground keep their colour: nearly white and nearly black, which are no greys here.
ON_DARK, ON_LIGHT = "#fffffe", "#000001"
LEAST_LIGHTNESS = 0.55

COLOR = re.compile(r"#[0-9a-f]{6}\b")


def channels(color):
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def hexadecimal(values):
    return "#" + "".join(f"{round(v):02x}" for v in values)


def in_the_dark(color):
    """What stands for a colour on a dark ground: greys between its ink and its ground as they were between black and
    white, and what is too dark to be seen, lighter. None where it stays."""
    if color in (ON_DARK, ON_LIGHT):
        return None
    red, green, blue = channels(color)
    if red == green == blue:
        return hexadecimal(ink + (back - ink) * red / 255 for ink, back in zip(channels(INK), channels(BACK)))
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if lightness >= LEAST_LIGHTNESS:
        return None
    # The order of what is dark stays, so that a scale from dark to light stays one.
    lighter = LEAST_LIGHTNESS - 0.25 * (LEAST_LIGHTNESS - lightness)
    return hexadecimal(255 * v for v in colorsys.hls_to_rgb(hue, lighter, 0.85 * saturation))


def style_sheet(svg):
    """The rules of dark for the colours that this SVG has. What names no colour is black."""
    rules = [f"svg{{fill:{INK}}}"]
    for color in sorted(set(COLOR.findall(svg))):
        dark = in_the_dark(color)
        if dark:
            rules += [
                f'[style*="fill: {color}"],[fill="{color}"]{{fill:{dark}!important}}',
                f'[style*="stroke: {color}"]{{stroke:{dark}!important}}',
            ]
    return "@media (prefers-color-scheme: dark){" + "".join(rules) + "}"


def follows_light_and_dark(svg):
    """matplotlib's SVG with these rules behind its own, the same for the same picture. One that has them stays."""
    if "prefers-color-scheme" in svg:
        return svg
    head, end, rest = svg.partition("</style>")
    if not end:
        raise ValueError("the SVG has no style sheet, as matplotlib's have")
    return head + "\n" + style_sheet(svg) + end + rest
