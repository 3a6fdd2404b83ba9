"""Measures one part inside a build: ``worker.py ROOT PART SETTINGS`` answers each line of input with one of JSON.

The build's own packages come first; beside them only :mod:`names` is needed, which knows where things lie in it.
"""

import gc
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path[:0] = [sys.argv[1], str(Path(__file__).parent)]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from names import BUILT_IN, JOINT, PISE, RECIPES, Carry, Session, Studio, Trainer, VGGSlice, open_source  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from pise_core.document import Document, Edits  # noqa: E402
from pise_core.editor import Editor  # noqa: E402
from pise_core.images import read_image  # noqa: E402
from pise_core.pose import heatmaps, to_rows  # noqa: E402
from pise_core.regions import REGION  # noqa: E402

Figures = dict[str, dict[str, Any]]
_FRAME = (256, 176)
#: So many previews are timed together on a graphics card, and so many people drag there at once.
_PREVIEWS, _TOGETHER = 20, 4


class Bench:
    """What all parts share: the editor that ships, and a count of the passes of its networks."""

    def __init__(self, settings: dict) -> None:
        torch.set_num_threads(1)
        self.settings = settings
        self.editor = Editor.from_pretrained(device="cpu")
        self.passes: Counter[str] = Counter()
        model, analyzer = self.editor.model, self.editor.analyzer
        networks = {"map": model.parsing_generator, "image": model.image_generator, "look": analyzer.network}
        for name, network in networks.items():
            network.register_forward_hook(lambda *_, name=name: self.passes.update([name]))
        self.size = f"{settings['megapixels']:g} MP" if "megapixels" in settings else ""

    def measured(self, work: Callable[[], Any], count: int = 1) -> dict[str, Any]:
        """Seconds of processor time of ``work``, passes of the networks, and memory beyond what was held before."""
        gc.collect()
        self.passes.clear()
        held = _reset_peak()
        start = time.process_time()
        for _ in range(count):
            work()
        seconds = (time.process_time() - start) / count
        passes = {name: n // count for name, n in self.passes.items()}
        return {"seconds": seconds, "passes": passes, "extra": max(0.0, _status("VmHWM") - held)}


def _reset_peak() -> float:
    """Forget how much memory was held at most; how much is held now, in megabytes."""
    with suppress(OSError):  # where that is not allowed, a peak of before may hide one of now
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> float:
    """A line of the kernel's account of this process, in megabytes; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)


class Networks(Bench):
    """One pass each at the frame's size; the images are made of noise, which no network is quicker for, and the joints
    are somebody's: numbers that nearly vanish beside them take processors longer than others."""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        torch.manual_seed(0)
        labels = torch.randint(0, 8, (3, _FRAME[0] // 16, _FRAME[1] // 16))
        labels = labels.repeat_interleave(16, 1).repeat_interleave(16, 2)
        maps = torch.nn.functional.one_hot(labels, 8).permute(0, 3, 1, 2).float()
        source, wanted, carried = (self._told(m[None]) for m in maps)
        image = self._told(torch.rand(1, 3, *_FRAME) * 2 - 1)
        trust = self._told((torch.rand(1, 1, *_FRAME) > 0.5).float())
        joints = self.editor.set_person(read_image(settings["photo"])).frame.pose
        own, pose = (self._told(torch.from_numpy(heatmaps(p, _FRAME))[None]) for p in (joints, _arm_raised(joints, 0)))
        model, carry = self.editor.model, Carry(image * trust, trust, carried)
        with torch.no_grad():
            code = model.encode(image, source)
        photo = np.random.default_rng(0).integers(0, 255, (*_FRAME, 3), np.uint8)
        two = (torch.rand(2, 3, *_FRAME) * 2 - 1).to(memory_format=torch.channels_last)
        # What builds of before do not look for is left out, so that the same is compared.
        known = {"held": 0} if hasattr(self.editor.analyzer.network, "held_head") else {}
        self.work = {
            "generator": lambda: model(image, source, own, pose, wanted, carry=carry, source=code),
            "parsing generator": lambda: model.generate_parsing(source, own, pose, carried),
            "encoders": lambda: model.encode(image, source),
            "analyzer, with its mirror image": lambda: self.editor.analyzer._look(photo, flip=True),
            "analyzer, two pictures, nothing held": lambda: self.editor.analyzer.network(two, **known),
        }
        wide = self._alike(PISE(RECIPES["release"].network).eval())
        with torch.no_grad():
            known_wide = wide.encode(image, source)
        self.work["generator of width 64, `release`"] = lambda: wide(
            image, source, own, pose, wanted, source=known_wide
        )
        with torch.no_grad():
            self.needs = {name: _needs(work) for name, work in self.work.items()}
        self.arithmetic, self.memory = _rates()

    def _told(self, x: torch.Tensor) -> torch.Tensor:
        """In the layout in which this build feeds its networks."""
        return x.to(memory_format=torch.channels_last) if self._last else x.contiguous()

    def _alike(self, network: torch.nn.Module) -> Any:
        """A network in that layout."""
        return network.to(memory_format=torch.channels_last) if self._last else network

    @property
    def _last(self) -> bool:
        weights = [p for p in self.editor.model.parameters() if p.ndim == 4 and p.shape[2] > 1 and p.shape[1] > 1]
        return weights[0].is_contiguous(memory_format=torch.channels_last)

    def round(self, number: int) -> Figures:
        rows = {}
        with torch.no_grad():
            for name, work in self.work.items():
                rows[f"network: {name}"] = self.measured(work, 3)
                products, moved = self.needs[name]
                if products:  # what is done in another thread isn't counted
                    limit = {"arithmetic": products / self.arithmetic, "memory": moved / self.memory}
                    rows[f"network: {name}"] |= {"products": products, "bytes": moved} | limit
        return rows


class _Moved(TorchDispatchMode):
    """Counts bytes: what every operation writes, once."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = function(*args, **(kwargs or {}))
        for tensor in answer if isinstance(answer, tuple | list) else (answer,):
            # A view of what is there already moves nothing.
            if isinstance(tensor, torch.Tensor) and not any(tensor is given for given in args):
                old = {given.untyped_storage().data_ptr() for given in args if isinstance(given, torch.Tensor)}
                if tensor.untyped_storage().data_ptr() not in old:
                    self.count += tensor.nbytes
        return answer


def _attention(queries: Any, keys: Any, values: Any, *_: Any, **__: Any) -> int:
    """Operations of a fused attention, of shapes (N, heads, places, channels)."""
    count, heads, places, channels = queries
    return 2 * count * heads * places * keys[2] * (channels + values[3])


def _needs(work: Callable[[], Any]) -> tuple[int, int]:
    """Multiply-adds of a pass, and the bytes that its operations write."""
    work()
    fused = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}
    with FlopCounterMode(display=False, custom_mapping=fused) as products:
        work()
    with _Moved() as moved:
        work()
    return products.get_total_flops() // 2, moved.count


def _rates() -> tuple[float, float]:
    """Multiply-adds a second in a product of large matrices, and bytes a second that a copy writes, on one thread."""
    square, long = torch.rand(1024, 1024), torch.rand(1 << 24)
    copy = torch.empty_like(long)
    best = [math.inf, math.inf]
    for _ in range(5):
        for number, work in enumerate((lambda: square @ square, lambda: copy.copy_(long))):
            start = time.process_time()
            work()
            best[number] = min(best[number], time.process_time() - start)
    return 1024**3 / best[0], long.nbytes / best[1]


class Opening(Bench):
    """From an uploaded file to a document on the page."""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        self.studio = Studio(lambda: self.editor)
        self.round(0)

    def round(self, number: int) -> Figures:
        session = Session()
        figures = self.measured(
            lambda: _drain(self.studio.open_file(session, self.settings["photo"], BUILT_IN, BUILT_IN))
        )
        session.close()
        return {f"opening, {self.size}": figures}


class EditsMade(Bench):
    """The library alone: the first edit of a photo, which finds out what is behind the person, and later ones."""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        self.photo = read_image(settings["photo"])
        self.other = self.editor.set_person(read_image(settings["other"]))
        self.known = self.editor.analyze(self.photo)

    def round(self, number: int) -> Figures:
        pose, parsing = self.known.pose, self.known.parsing
        person = self.editor.set_person(self.photo, pose=pose, parsing=parsing)
        first, later = (_arm_raised(pose, 10 * number + step) for step in (0, 5))
        rows = {
            "first edit: an arm": self.measured(lambda: person.render(pose=first)),
            "an arm": self.measured(lambda: person.render(pose=later)),
            "a painted sleeve": self.measured(lambda: person.render(parsing=_bare_arm(parsing, pose, number))),
            "a borrowed garment": self.measured(
                lambda: person.render(styles={"upper_clothes": [(self.other, 1.0 - 0.01 * number)]})
            ),
        }
        return {f"{name}, {self.size}": figures for name, figures in rows.items()}


class Previews(Bench):
    """The picture that is shown while a joint is dragged: with arrays on the processor, and, where there is a graphics
    card, made as a whole there, with arrays beside it, and for several visitors at once (wall time)."""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        self.photo = read_image(settings["photo"])
        self.here = Document(self.editor, self.photo)
        self.there: dict[str, list[Any]] = {}
        if torch.cuda.is_available():
            editors = {"": Editor.from_pretrained(device="cuda"), ", arrays": Editor.from_pretrained(device="cuda")}
            for name, editor in editors.items():
                if name:
                    editor.resident = None
                self.there[name] = [Document(editor, self.photo) for _ in range(1 if name else _TOGETHER)]
        self.round(-1)

    def round(self, number: int) -> Figures:
        rows = {f"preview, {self.size}": self.measured(lambda: _previewed(self.here, number, 3), 1)}
        rows[f"preview, {self.size}"]["seconds"] /= 3
        for name, documents in self.there.items():
            seconds = _previewed(documents[0], number, _PREVIEWS)
            rows[f"preview, {self.size}, cuda{name}"] = {"wall": seconds / _PREVIEWS}
            if len(documents) > 1:
                with ThreadPoolExecutor(len(documents)) as pool:
                    start = time.perf_counter()
                    list(pool.map(lambda one: _previewed(one, number, _PREVIEWS), documents))
                    rate = len(documents) * _PREVIEWS / (time.perf_counter() - start)
                rows[f"{len(documents)} who drag at once, {self.size}, cuda"] = {"rate": rate}
        return rows


def _previewed(document: Any, number: int, count: int) -> float:
    """Seconds of wall time of so many previews, of poses that were not seen before."""
    # Builds of before tell the picture's regions as well.
    preview = getattr(document, "preview", lambda edits: document.render(edits, preview=True))
    start = time.perf_counter()
    for step in range(count):
        preview(Edits(pose=_arm_raised(document.person.pose, count * (number + 1) + step)))
    return time.perf_counter() - start


class Release(Bench):
    """The studio after a joint was let go of: until the exact picture is shown, and until the page is told all."""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        self.studio, self.session = Studio(lambda: self.editor), Session()
        _drain(self.studio.open_file(self.session, settings["photo"], BUILT_IN, BUILT_IN))
        _drain(self.studio.prepare(self.session))
        self._edit(-1, previewed=False)

    def round(self, number: int) -> Figures:
        fresh = self._edit(2 * number, previewed=False)
        known = self._edit(2 * number + 1, previewed=True)
        return {
            f"release, shown, {self.size}": fresh[0],
            f"release, all told, {self.size}": fresh[1],
            f"release after a preview of the pose, shown, {self.size}": known[0],
            f"release after a preview of the pose, all told, {self.size}": known[1],
        }

    def _edit(self, number: int, previewed: bool) -> list[dict[str, Any]]:
        rows = to_rows(_arm_raised(self.session.need_document().person.pose, number))
        if previewed:
            self.studio.live(self.session, {"seq": self.session.sequence + 1, "keypoints": rows})

        def commit() -> None:
            _drain(self.studio.commit_pose(self.session, {"seq": self.session.sequence + 1, "keypoints": rows}))
            for update in updates:
                if "result" in update:
                    return

        updates = self.studio.render(self.session)
        shown = self.measured(commit)
        rest = self.measured(lambda: _drain(updates))
        passes = Counter(shown["passes"]) + Counter(rest["passes"])
        told = {"seconds": shown["seconds"] + rest["seconds"], "passes": dict(passes), "extra": rest["extra"]}
        return [shown, told]


class Training(Bench):
    """Steps of both trainings at the full frame."""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        folder = Path(settings["folder"]) / str(os.getpid())  # two builds begin at the same time
        folder.mkdir()
        self._prepare(folder, [read_image(settings["photo"]), read_image(settings["other"])])
        recipe = RECIPES["shipped"].resolved() if hasattr(RECIPES["shipped"], "resolved") else RECIPES["shipped"]
        torch.manual_seed(0)
        self.trainer = Trainer(recipe, "apart", _alone(), folder / "teacher.safetensors")
        source = open_source(folder / "data", recipe.network)
        self.batch = source.batch(np.random.default_rng(0), 2, _FRAME, True).to("cpu")
        self.views = (torch.rand(4, 3, *_FRAME) * 2 - 1).to(memory_format=torch.channels_last)
        self.looking = _analyzer()
        self.trainer.step(0, 0.0, self.batch)

    def _prepare(self, folder: Path, images: list[np.ndarray]) -> None:
        from safetensors.torch import save_file

        torch.manual_seed(0)
        save_file(VGGSlice().state_dict(), str(folder / "teacher.safetensors"))
        samples = {}
        for name in ("images", "parsing"):
            (folder / "data" / name).mkdir(parents=True)
        for index, image in enumerate(images):
            found = self.editor.analyze(image)
            name = f"{index:04d}"
            cv2.imwrite(str(folder / "data" / "images" / f"{name}.jpg"), image[:, :, ::-1])
            cv2.imwrite(str(folder / "data" / "parsing" / f"{name}.png"), found.parsing)
            samples[name] = to_rows(found.pose)
        (folder / "data" / "samples.json").write_text(
            json.dumps(dict.fromkeys(("train", "validation", "test"), samples))
        )

    def round(self, number: int) -> Figures:
        def look() -> None:
            found = self.looking(self.views)
            ((found.heatmaps**2).mean() + (found.parsing**2).mean()).backward()

        return {
            "training: a step of the generator, 2 pairs": self.measured(
                lambda: self.trainer.step(number + 1, 0.0, self.batch)
            ),
            "training: the analyzer forth and back, 4 views": self.measured(look),
        }


def _drain(updates: Iterable[Any]) -> None:
    for _ in updates:
        pass


def _arm_raised(pose: np.ndarray, number: int) -> np.ndarray:
    """The right wrist and elbow lifted, a little differently for every number: no picture was made before."""
    moved, size = pose.copy(), float(np.nanmax(pose[:, 1]) - np.nanmin(pose[:, 1]))
    moved[JOINT["right_wrist"], :2] += size * np.array([-0.05 - 0.001 * number, -0.2])
    moved[JOINT["right_elbow"], :2] += size * np.array([-0.03, -0.05 - 0.0005 * number])
    return moved


def _bare_arm(parsing: np.ndarray, pose: np.ndarray, number: int) -> np.ndarray:
    """The map with the right forearm painted as a sleeve."""
    ends = [tuple(int(v) for v in pose[JOINT[name], :2]) for name in ("right_elbow", "right_wrist")]
    wanted, width = parsing.copy(), max(3, round(0.03 * np.ptp(pose[np.isfinite(pose[:, 1]), 1])) + number)
    cv2.line(wanted, ends[0], ends[1], REGION["upper_clothes"], width)
    return wanted


def _alone() -> Any:
    from pise_core.training.processes import ALONE

    return ALONE


def _analyzer() -> torch.nn.Module:
    from pise_core.detection.network import AnalyzerNetwork

    return AnalyzerNetwork().train().to(memory_format=torch.channels_last)


PARTS: dict[str, type[Bench]] = {
    "networks": Networks, "opening": Opening, "edits": EditsMade, "preview": Previews, "release": Release,
    "training": Training,
}  # fmt: skip


def main() -> None:
    part, settings = PARTS[sys.argv[2]], json.loads(sys.argv[3])
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever the build prints is no answer
    bench: Any = part(settings)
    for line in sys.stdin:
        print(json.dumps(bench.round(int(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
