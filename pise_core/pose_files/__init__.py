"""Poses in files of other programs: told apart by what they hold, read to 18 joints, and written back.

``docs/formats.md`` lists the formats with the programs that write them. :mod:`.texts` parses the file, :mod:`.layouts`
knows the orders of joints, :mod:`.contents` finds the people in a file, :mod:`.reader` chooses one of them and brings
the joints to the pixels of a picture. A new format is an entry in ``layouts`` where only its order of joints is new,
otherwise a branch in ``contents``.
"""

from pise_core.pose_files.reader import PoseFile, open_pose_file, read_pose
from pise_core.pose_files.texts import MAX_BYTES
from pise_core.pose_files.writer import KINDS, encode_pose, write_pose, write_poses

__all__ = ["KINDS", "MAX_BYTES", "PoseFile", "encode_pose", "open_pose_file", "read_pose", "write_pose", "write_poses"]
