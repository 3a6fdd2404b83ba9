"""What an edited picture says of itself: an XMP packet for people, platforms and archives that ask where it comes from.

The digital source type is IPTC's *composite with trained algorithmic media*
(https://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia): a picture that was put together
from others, and partly made by a trained model. Nothing is said of who edited it, when, or from what.
"""

import os

from pise_core.version import __version__

#: IPTC's term.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmp:CreatorTool="PISE Studio {version}"
    Iptc4xmpExt:DigitalSourceType="{source}">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Edited with PISE Studio</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def wanted() -> bool:
    """Whether edited pictures are marked: yes, unless the operator has set ``PISE_PROVENANCE`` to ``off``."""
    return os.environ.get("PISE_PROVENANCE", "").lower() not in ("off", "0", "false", "no")


def packet() -> str:
    """The XMP packet of an edited picture; the same for all pictures of one version."""
    return _PACKET.format(version=__version__, source=SOURCE_TYPE)
