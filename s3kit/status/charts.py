"""Charts of the page, as SVG drawn by pygal; of its drawing the shapes are taken and nothing else:
no script, no style of its own, no name.
"""

from lxml import etree

from s3kit.errors import Fault

SVG = "http://www.w3.org/2000/svg"
SIDE = 240              # of the drawing, in its own units
HOLE = 0.62             # of the radius


def donut(slices, label):
    """Return the SVG element of a ring of slices [(name, class, number)], or None where all are 0.

    Raises Fault where pygal is not installed.
    """
    shown = [each for each in slices if each[2]]
    if not shown:
        return None
    made = etree.Element(f"{{{SVG}}}svg", {"viewBox": f"0 0 {SIDE} {SIDE}", "class": "donut",
                                           "role": "img", "aria-label": label},
                         nsmap={None: SVG})
    for (name, kind, number), shape in zip(shown, shapes([number for *_, number in shown])):
        part = etree.SubElement(made, f"{{{SVG}}}path", {"d": shape, "class": f"slice {kind}"})
        etree.SubElement(part, f"{{{SVG}}}title").text = f"{name}: {number:,}"
    return made


def shapes(numbers):
    """Return the outline of each number's slice, as SVG's `d` has it."""
    try:
        import pygal
    except ImportError:
        raise Fault("the page's charts need the library 'pygal' (pip install s3kit[status])"
                    ) from None
    chart = pygal.Pie(inner_radius=HOLE, width=SIDE, height=SIDE, margin=0, js=[], css=[],
                      show_legend=False, disable_xml_declaration=True)
    for number in numbers:
        chart.add("", number)
    drawn = etree.fromstring(chart.render(),
                             etree.XMLParser(resolve_entities=False, no_network=True))
    return drawn.xpath("//*[local-name() = 'path' and contains(@class, 'slice ')]/@d")
