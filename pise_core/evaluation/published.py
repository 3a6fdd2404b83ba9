"""What the paper prints (Tables 1 and 2), and what is known about how it came to be."""

from typing import NamedTuple


class Printed(NamedTuple):
    """A row of the paper's tables; all on DeepFashion's test pairs."""

    name: str
    fid: float
    lpips: float
    psnr: float


TABLE_1 = (
    Printed("PATN", 23.70, 0.2520, 31.16),
    Printed("BiGraph", 24.36, 0.2428, 31.38),
    Printed("XingGAN", 41.79, 0.2914, 31.08),
    Printed("GFLA", 14.52, 0.2219, 31.28),
    Printed("ADGAN", 16.00, 0.2242, 31.30),
    Printed("PINet", 15.28, 0.2152, 31.31),
    Printed("PISE", 13.61, 0.2059, 31.38),
)
#: Its fourth row, Full, is PISE again.
TABLE_2 = (
    Printed("Global-Enc", 15.21, 0.2137, 31.35),
    Printed("Local-Enc", 15.50, 0.2138, 31.30),
    Printed("w/o SN", 14.15, 0.2071, 31.43),
)

PROTOCOL = (
    "printed in the paper: its Tables 1 and 2 as they stand there, for 8,750 pairs; PATN's list holds 8,570.",
    "Their PSNR is that of the authors' script, which wraps. No script for their FID and LPIPS was released: whether "
    "these are GFLA's FID and LPIPS of AlexNet, as their columns here suggest, is not known.",
    "GFLA was fed pictures stretched from 256x176 to 256x256. The authors' own pictures were JPEG files when they "
    "were scored.",
)
