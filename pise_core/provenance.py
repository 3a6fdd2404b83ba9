"""What an edited picture says of itself: an XMP packet for people, platforms and archives that ask where it comes from;
if the operator of a server or a script wants it, a line that everybody sees, and a signature with the operator's key
(C2PA, https://c2pa.org).

The digital source type is IPTC's *composite with trained algorithmic media*
(https://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia): a picture that was put together
from others, and partly made by a trained model. Nothing is said of who edited it, when, or from what.
"""

import io
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pise_core.errors import InputError
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


# ---- a line that everybody sees

#: The line where the operator only says that there is to be one; how long another may be.
LINE, LONGEST = "Edited with PISE Studio", 60


def line() -> str:
    """What is written into edited pictures: ``PISE_MARK``, or nothing if that is not set.

    Raises:
        InputError: if it is too long or no line.
    """
    wanted = os.environ.get("PISE_MARK", "").strip()
    if wanted.lower() in ("", "off", "0", "false", "no"):
        return ""
    if len(wanted) > LONGEST or not wanted.isprintable():
        raise InputError(f"PISE_MARK: write a line of at most {LONGEST} characters, or on")
    return LINE if wanted.lower() in ("on", "1", "true", "yes") else wanted


def with_line(image: np.ndarray) -> np.ndarray:
    """The picture (H, W, 3 or 4) uint8 with the line in its lower right corner; the picture itself if none is wanted.

    White letters stand on a darkened ground, a fiftieth of the picture's height tall, and smaller where the picture is
    too narrow for them. No pixel beside that is touched.
    """
    stamp = line_on(image)
    if stamp is None:
        return image
    left, top, written = stamp
    marked = image.copy()
    marked[top:, left:] = written
    return marked


def line_on(image: np.ndarray) -> tuple[int, int, np.ndarray] | None:
    """The line on its ground, which reaches from x, y to the picture's lower right corner: ``(x, y, (h, w, 3 or 4))``;
    None if none is wanted, or the picture is too small for any."""
    text = line()
    height, width = image.shape[:2]
    if not text or min(height, width) < 16:
        return None
    size = max(9, round(height / 50))
    font = ImageFont.load_default(size)
    wide = font.getlength(text)
    if wide > 0.9 * width:
        font = ImageFont.load_default(max(5, int(size * 0.9 * width / wide)))
    x0, y0, x1, y1 = font.getbbox(text)
    margin = max(2, size // 3)
    left, top = max(0, width - round(x1 - x0) - 2 * margin), max(0, height - round(y1 - y0) - 2 * margin)
    ground = image[top:, left:] // 3
    ground[..., 3:] = 255  # letters on a cut-out stand on a ground too
    picture = Image.fromarray(np.ascontiguousarray(ground))
    ImageDraw.Draw(picture).text((margin - x0, margin - y0), text, fill="white", font=font)
    return left, top, np.asarray(picture)


# ---- a signature

_ALGORITHMS = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


def signs() -> bool:
    """Whether edited pictures are signed: ``PISE_C2PA_KEY`` and ``PISE_C2PA_CERTIFICATES`` name PEM files, the latter
    with the key's certificate and those that vouch for it, in that order.

    Raises:
        InputError: if only one of them is set.
    """
    key, chain = os.environ.get("PISE_C2PA_KEY", ""), os.environ.get("PISE_C2PA_CERTIFICATES", "")
    if bool(key) != bool(chain):
        raise InputError("a signature takes both PISE_C2PA_KEY and PISE_C2PA_CERTIFICATES")
    return bool(key)


def check_settings() -> None:
    """Find out before the first picture that the line or the signature can't be made.

    Raises:
        InputError: if so.
    """
    line()
    if signs():
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, "PNG")
        signed(buffer.getvalue(), "PNG")


def signed(data: bytes, kind: str) -> bytes:
    """A file with a manifest that says what the XMP packet says, signed with the operator's key. A signature is another
    one every time; all else is as it was.

    Args:
        data: of the file.
        kind: ``PNG``, ``JPEG`` or ``WEBP``.

    Raises:
        InputError: if it can't be signed.
    """
    try:
        import c2pa
    except ImportError:
        raise InputError("a signature needs a package: pip install c2pa-python") from None
    key, chain, algorithm = _keys(os.environ["PISE_C2PA_KEY"], os.environ["PISE_C2PA_CERTIFICATES"])
    action = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    manifest = {
        "claim_generator_info": [{"name": "PISE Studio", "version": __version__}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }
    out = io.BytesIO()
    # The key's owner may name a server that confirms the time; without one nothing leaves this machine.
    witness = os.environ.get("PISE_C2PA_TIMESTAMPS", "").encode() or None
    try:
        known: Any = c2pa.C2paSignerInfo(algorithm.encode(), chain, key, witness)
        with c2pa.Signer.from_info(known) as signer, c2pa.Builder(json.dumps(manifest)) as builder:
            builder.sign(signer, f"image/{kind.lower()}", io.BytesIO(data), out)
    except c2pa.C2paError as error:
        raise InputError(f"the picture can't be signed: {(str(error) or 'no reason given').splitlines()[0]}") from None
    return out.getvalue()


@lru_cache(maxsize=1)
def _keys(key: str, chain: str) -> tuple[bytes, bytes, str]:
    """The key, the certificates and the algorithm's name, which follows from the key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        secret, certificates = Path(key).read_bytes(), Path(chain).read_bytes()
        loaded = load_pem_private_key(secret, None)
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; PISE_C2PA_KEY and _CERTIFICATES name files") from None
    except (ValueError, TypeError):
        raise InputError("PISE_C2PA_KEY is no private key as PEM without a password") from None
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.name in _ALGORITHMS:
        return secret, certificates, _ALGORITHMS[loaded.curve.name]
    if isinstance(loaded, rsa.RSAPrivateKey):
        return secret, certificates, "ps256"
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return secret, certificates, "ed25519"
    raise InputError("PISE_C2PA_KEY is of no kind that C2PA knows: EC (P-256, P-384, P-521), RSA or Ed25519")
