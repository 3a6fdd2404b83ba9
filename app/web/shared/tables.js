// What Python says once of joints, regions and files; see `tables` in app/components.py.
export const { JOINTS, LIMBS, MIRROR, PRESETS, STANDING, REGIONS, LABELS, PALETTE, RECOLOURED, OFFERED, LARGEST } =
  globalThis.piseTables;
