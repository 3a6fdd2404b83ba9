"""``python -m pise_core evaluate``: one table per task, on test photos, clips, rendered people, or DeepFashion
(``deepfashion``)."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from pise_core.editor import Editor
from pise_core.errors import InputError
from pise_core.evaluation import analyzer, deepfashion, in_frame, layers, leftovers, report, styles, worn
from pise_core.evaluation.deepfashion_metrics import Loaders
from pise_core.evaluation.entries import COPY, TRUTH, WARP, Entry, load_entries
from pise_core.evaluation.image_metrics import Measures, load_measures
from pise_core.evaluation.region_edits import region_edits
from pise_core.evaluation.rendered_people import rendered_people, turned_and_not
from pise_core.evaluation.scoring import Example, Outcome, Reader, Scorer
from pise_core.evaluation.videos import load_pairs, videos
from pise_core.files import write_json
from pise_core.images import check_writable, write_image
from pise_core.synthesis.bodies import require_anny
from pise_core.synthesis.command import picture_size as _size
from pise_core.synthesis.dataset import People
from pise_core.training.arguments import positive
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.data.street_photos import StreetPhotos

#: So many pairs of photos exchange a style, where --limit does not ask for fewer.
SWAPS = 100
#: Height of the pictures of whole photos on a contact sheet.
SHEET_HEIGHT = 600
STREET_TASKS = ("identity", "articulated", "half_body", "regions", "styles")

Block = tuple[str, list[tuple[str, dict[str, np.ndarray]]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(required=True, metavar="DATA", dest="kind")
    street = kinds.add_parser("street", help="the test photos of a folder that prepare wrote")
    street.add_argument("--data", type=Path, default=Path("prepared"), help="that folder (default: prepared)")
    street.add_argument(
        "--tasks", type=_tasks, default=STREET_TASKS, metavar="TASK,...", help=f"some of {','.join(STREET_TASKS)}"
    )
    street.add_argument("--against", metavar="ROW", help="how far each row is from this one, with 95 %% intervals")
    street.add_argument("--limit", type=positive, help="at most so many photos (styles: pairs of photos)")
    street.set_defaults(examine=_street)
    clips = kinds.add_parser("videos", help="true pairs of frames from clips of one person each")
    clips.add_argument(
        "--data", type=Path, required=True, help="a folder per clip: frames NNNNN.jpg, and keypoints.json"
    )
    clips.add_argument("--pairs", type=positive, default=4, help="pairs of frames per clip (default: 4)")
    clips.add_argument("--limit", type=positive, help="at most so many clips")
    clips.set_defaults(examine=_videos, against=None)
    rendered = kinds.add_parser("people", help="true pairs of rendered people, which synthesize people wrote")
    rendered.add_argument("--data", type=Path, required=True, help="their folder, none that was trained on")
    rendered.add_argument("--limit", type=positive, help="at most so many pairs, the first")
    rendered.add_argument("--against", metavar="ROW", help="how far each row is from this one, with 95 %% intervals")
    rendered.set_defaults(examine=_people, seed=0)
    analysis = kinds.add_parser("analyzer", help="joints and regions that are found in the same test photos")
    analysis.add_argument("--data", type=Path, default=Path("prepared"), help="folder that prepare wrote")
    analysis.add_argument("--limit", type=positive, help="at most so many photos")
    analysis.add_argument(
        "--framings",
        type=_framings,
        default=analyzer.FRAMINGS,
        metavar="FRAMING,...",
        help=f"some of {','.join(analyzer.FRAMINGS)}",
    )
    analysis.set_defaults(examine=_analyzer, sheet=None, against=None)
    moved = kinds.add_parser("leftovers", help="what arms that were turned out leave behind where they were")
    moved.add_argument(
        "--data", type=Path, required=True, help="Clothing Co-Parsing as it is fetched, photos at full size"
    )
    moved.add_argument("--limit", type=positive, help="at most so many photos for each task")
    moved.set_defaults(examine=_leftovers, against=None)
    taken_apart = kinds.add_parser("layers", help="what turned limbs uncover, and soft edges, where both are known")
    taken_apart.add_argument(
        "--data", type=Path, required=True, help="rendered people with layers: synthesize people --layers"
    )
    taken_apart.add_argument("--street", type=Path, metavar="DIR", help="edges of Clothing Co-Parsing's photos, too")
    taken_apart.add_argument("--limit", type=positive, default=60, help="at most so many moves and people (60)")
    taken_apart.set_defaults(examine=_layers, against=None)
    exchanged = kinds.add_parser("worn", help="worn garments against the right answer, on rendered people")
    exchanged.add_argument("--count", type=positive, default=30, metavar="N", help="exchanges (default: 30)")
    exchanged.add_argument("--size", type=_size, default=(512, 352), metavar="HxW", help="of the pictures (512x352)")
    exchanged.set_defaults(examine=_worn, against=None)
    pairs = deepfashion.add_arguments(kinds)
    pairs.add_argument("--limit", type=positive, help="at most so many pairs, the first of the list")
    for kind in (street, analysis, moved, taken_apart):
        kind.add_argument(
            "--split",
            choices=("test", "validation"),
            default="test",
            help="photos that nothing is chosen on (test, the default), or those for making choices",
        )
    for kind in (street, clips, analysis, moved, taken_apart, exchanged):
        kind.add_argument("--seed", type=int, default=0, help="which pairs, turns, edits and scenes are drawn")
    for kind in (street, clips, rendered, analysis, moved, taken_apart, exchanged, pairs):
        _add_common_arguments(kind)
    for kind in (street, clips, rendered, pairs):
        kind.add_argument(
            "--also",
            action="append",
            default=[],
            type=_named,
            metavar="NAME=PATH",
            help="another generator in a row of its own: a folder with pise.safetensors, or such a file; repeatable",
        )
    for kind in (street, clips, rendered, moved, taken_apart, exchanged, pairs):
        kind.add_argument(
            "--sheet", type=Path, metavar="FILE.jpg", help=f"show up to {report.SHOWN} examples of each task"
        )


def _add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="PATH",
        help="folder of weights, such as train's, or one generator's file; what is not there: shipped",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")


def run(
    args: argparse.Namespace,
    measures: Callable[[str], Measures] = load_measures,
    loaders: Loaders | None = None,
) -> int:
    """``measures``: makes the learned measures for a device; ``loaders``: those for DeepFashion."""
    if args.sheet:
        check_writable(args.sheet)
    if args.json and not args.json.parent.is_dir():
        raise InputError(f"there is no folder {args.json.parent} to write {args.json.name} to")
    if args.kind == "deepfashion":
        return deepfashion.run(args, loaders or Loaders())
    with torch.no_grad():
        found = args.examine(args, measures)
    outcomes = [outcome for outcome, _ in found]
    for outcome in outcomes:
        print(report.table(outcome), end="\n\n")
        for column in ("lpips", "edit_seen", "worn_lpips"):
            if any(column in row for rows in outcome.groups.values() for row in rows.values()):
                print(report.by_group(outcome, column), end="\n\n")
        if args.against and (table := report.compared(outcome, args.against)):
            print(table, end="\n\n")
    print(report.notes(outcomes))
    if args.json:
        settings = {"data": args.kind, "weights": str(args.weights or "shipped"), "seed": args.seed}
        tasks = {outcome.task: report.to_json(outcome) for outcome in outcomes}
        write_json(args.json, {**settings, "tasks": tasks, "notes": report.NOTES}, indent=1)
    if args.sheet:
        write_image(args.sheet, report.contact_sheet([block for _, block in found]))
    return 0


def _street(args: argparse.Namespace, measures: Callable[[str], Measures]) -> list[tuple[Outcome, Block]]:
    limit = None if args.tasks == ("styles",) else args.limit
    samples = load_samples(args.data, args.split, limit, annotated_only=True)
    if not samples:
        raise InputError(f"{args.data} holds no annotated {args.split} photo; run prepare on the whole data set")
    entries = load_entries(args.weights, args.also, args.device)
    _expect_row(args.against, entries)
    learned = measures(entries[0].editor.device) if set(args.tasks) - {"styles"} else None
    tasks = {"identity": in_frame.identity, "articulated": in_frame.articulated, "half_body": in_frame.half_body}
    tasks |= {"regions": region_edits}
    found = []
    for task in args.tasks:
        if task == "styles":
            found.append(_styles(args, entries))
        else:
            assert learned is not None
            examples = tasks[task](samples, entries, args.seed)
            found.append(_judged(task, examples, len(samples), entries, learned))
    return found


def _analyzer(args: argparse.Namespace, measures: Callable[[str], Measures]) -> list[tuple[Outcome, Block]]:
    samples = load_samples(args.data, args.split, args.limit, annotated_only=True)
    if not samples:
        raise InputError(f"{args.data} holds no annotated {args.split} photo; run prepare on the whole data set")
    seer = Editor.from_pretrained(args.weights, device=args.device).analyzer
    rows = {}
    for framing in args.framings:
        seen = tqdm(analyzer.views(samples, framing, args.seed), framing, len(samples), unit="photo")
        rows[framing] = analyzer.score(seer, seen)
    return [(Outcome("analyzer", len(samples), rows), ("analyzer", []))]


def _leftovers(args: argparse.Namespace, measures: Callable[[str], Measures]) -> list[tuple[Outcome, Block]]:
    photos, editor = StreetPhotos(args.data), Editor.from_pretrained(args.weights, device=args.device)
    found = []
    for task, scenes_of in (("hands", leftovers.old_hands), ("wall", leftovers.vacated_wall)):
        scenes = list(
            tqdm(scenes_of(photos, editor, args.split, args.limit, args.seed), task, args.limit, unit="photo")
        )
        if not scenes:
            raise InputError(f"{task}: no {args.split} photo of {args.data} is annotated and shows enough of both arms")
        every = -(-len(scenes) // report.SHOWN)
        shown = [(f"{scene.name} {scene.left:.1%}", _small(scene.shown)) for scene in scenes[::every]]
        found.append((leftovers.outcome(task, scenes), (task, shown)))
    return found


def _layers(args: argparse.Namespace, measures: Callable[[str], Measures]) -> list[tuple[Outcome, Block]]:
    people, editor = People(args.data), Editor.from_pretrained(args.weights, device=args.device)
    moved = list(tqdm(layers.moves(people, editor, args.limit, args.seed), "uncovered", args.limit, unit="move"))
    if not moved:
        raise InputError(f"nobody of {args.data} has a limb that uncovers enough; render larger or more people")
    found = [(layers.uncovered_outcome(moved), ("uncovered", _spread([(m.name, m.shown) for m in moved])))]
    edges = {"edge": layers.edges(people, editor, args.limit)}
    if args.street is not None:
        photos = StreetPhotos(args.street)
        edges["edge, street"] = layers.street_edges(photos, editor, args.split, args.limit)
    for task, each in edges.items():
        of = list(tqdm(each, task, args.limit, unit="person"))
        if not of:
            raise InputError(f"{task}: nobody is found in these pictures")
        found.append((layers.edge_outcome(task, of), (task, _spread([(edge.name, edge.shown) for edge in of]))))
    return found


def _spread(pictures: list[tuple[str, dict[str, np.ndarray]]]) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Up to ``report.SHOWN`` of them, evenly, at the height of a contact sheet."""
    every = -(-len(pictures) // report.SHOWN)
    return [(name, _small(shown)) for name, shown in pictures[::every]]


def _worn(args: argparse.Namespace, measures: Callable[[str], Measures]) -> list[tuple[Outcome, Block]]:
    require_anny()
    from pise_core.synthesis.exchanges import make_exchange

    editor = Editor.from_pretrained(args.weights, device=args.device)
    numbers = tqdm(range(args.count), "worn", unit="exchange")
    exchanges = ((number, make_exchange(args.seed, number, args.size)) for number in numbers)
    found = list(worn.trials(exchanges, editor, measures(editor.device)))
    every = -(-len(found) // report.SHOWN)
    shown = [(f"{trial.name} {trial.lpips['worn']:.3f}", _small(trial.shown)) for trial in found[::every]]
    return [(worn.outcome(found), ("worn", shown))]


def _small(pictures: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The pictures at the height of a contact sheet."""
    height, width = next(iter(pictures.values())).shape[:2]
    size = max(1, round(width * SHEET_HEIGHT / height)), SHEET_HEIGHT
    return {name: cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for name, picture in pictures.items()}


def _styles(args: argparse.Namespace, entries: Sequence[Entry]) -> tuple[Outcome, Block]:
    samples = load_samples(args.data, args.split, annotated_only=True)
    pairs = styles.draw_pairs(samples, args.limit or SWAPS, args.seed)
    if not pairs:
        raise InputError(f"{args.data} holds no two annotated {args.split} photos in different upper clothes")
    swaps = list(tqdm(styles.swaps(pairs, entries), "styles", len(pairs), unit="pair"))
    every = -(-len(swaps) // report.SHOWN)
    return styles.outcome(swaps), ("styles", [(swap.name, swap.pictures) for swap in swaps[::every]])


def _videos(args: argparse.Namespace, measures: Callable[[str], Measures]) -> list[tuple[Outcome, Block]]:
    pairs = load_pairs(args.data, args.pairs, args.seed, args.limit)
    entries = load_entries(args.weights, args.also, args.device)
    learned = measures(entries[0].editor.device)
    return [_judged("videos", videos(pairs, entries), len(pairs), entries, learned)]


def _people(args: argparse.Namespace, measures: Callable[[str], Measures]) -> list[tuple[Outcome, Block]]:
    people = People(args.data)
    entries = load_entries(args.weights, args.also, args.device)
    _expect_row(args.against, entries)
    learned = measures(entries[0].editor.device)
    kinds = turned_and_not(people, args.limit)
    titles = {"people": [], **{f"people, {kind}": places for kind, places in kinds.items() if places}}
    scorers = {title: Scorer(learned, Reader(entries[0].editor.analyzer)) for title in titles}
    blocks: dict[str, list] = {title: [] for title in titles}
    for title, places in titles.items():
        every = max(1, -(-2 * len(places) // report.SHOWN))
        examples = rendered_people(people, places, entries)
        for index, example in enumerate(tqdm(examples, title, len(places), unit="pair")):
            scorers["people"].add(example)
            scorers[title].add(example)
            if index % every == 0:
                blocks[title].append((example.name, _pictures(example)))
    return [(scorer.outcome(title), (title, blocks[title])) for title, scorer in scorers.items()]


def _expect_row(name: str | None, entries: Sequence[Entry]) -> None:
    """
    Raises:
        InputError: if ``--against`` names no row.
    """
    names = [c.name for c in entries] + [COPY, WARP]
    if name is not None and name not in names:
        raise InputError(f"--against: there is no row {name!r}; rows are: {', '.join(names)}")


def _pictures(example: Example) -> dict[str, np.ndarray]:
    """What is shown of an example, by column."""
    pictures = {name: made.picture for name, made in example.made.items()}
    return pictures if example.truth is None else pictures | {TRUTH: example.truth}


def _judged(
    task: str, examples: Iterable[Example], total: int, entries: Sequence[Entry], measures: Measures
) -> tuple[Outcome, Block]:
    scorer = Scorer(measures, Reader(entries[0].editor.analyzer))
    shown, every = [], -(-total // report.SHOWN)
    for index, example in enumerate(tqdm(examples, task, total, unit="example")):
        scorer.add(example)
        if index % every == 0:
            shown.append((f"{example.group} {example.name}".strip(), _pictures(example)))
    outcome = scorer.outcome(task)
    if not outcome.count:
        raise InputError(f"{task}: nothing to examine in these photos; raise --limit")
    return outcome, (task, shown)


def _tasks(text: str) -> tuple[str, ...]:
    return _some_of(STREET_TASKS, "task", text)


def _framings(text: str) -> tuple[str, ...]:
    return _some_of(analyzer.FRAMINGS, "framing", text)


def _some_of(known: Sequence[str], what: str, text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(text.split(",")))
    for name in wanted:
        if name not in known:
            raise argparse.ArgumentTypeError(f"there is no {what} {name!r}; choose from {', '.join(known)}")
    return wanted


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)
