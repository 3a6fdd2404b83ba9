// The page's icons, as lines on a field of 24 by 24.
const ICON_PATHS = {
  undo: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  redo: "m15 7 5 5-5 5m5-5H10a6 6 0 0 0-6 6",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  full: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  mirror: "M12 3v18M8 7 3 17h5zM16 7l5 10h-5z",
  reset: "M4 5v5h5M4.6 10a8 8 0 1 1-.4 5",
  move: "M12 3v18M3 12h18M12 3 9 6m3-3 3 3M12 21l-3-3m3 3 3-3M3 12l3-3m-3 3 3 3M21 12l-3-3m3 3-3 3",
  marquee: "M4 8V4h4M12 4h2M18 4h2v4M20 12v2M20 18v2h-4M12 20h-2M8 20H4v-4M4 12v-2",
  bones: "M8 16 16 8M5.5 21a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5M18.5 8a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6",
  hide: "M4 4l16 16M10 5.3A9.5 9.5 0 0 1 12 5c6 0 10 7 10 7a17 17 0 0 1-3 3.7M6.5 6.8A16 16 0 0 0 2 12s4 7 10 7a9.6 9.6 0 0 0 4-.9",
  save: "M12 4v11m0 0-4-4m4 4 4-4M5 20h14",
  drop: "M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11zM9 15a3 3 0 0 0 3 3",
  disk: "M5 4h11l3 3v13H5zM8.5 4v5h6V4M8 20v-6h8v6",
  load: "M12 15V4m0 0L8 8m4-4 4 4M5 20h14",
  brush: "M20 4c-3 0-8 5-10 8l2 2c3-2 8-7 8-10zM9 13c-3 0-3 3-5 6 4 1 7 0 7-4",
  fill: "M5 12 12 5l7 7-7 7zM12 5 9 2M20 16c1 1.5 1.5 2.3 1.5 3a1.5 1.5 0 0 1-3 0c0-.7.5-1.5 1.5-3",
  lasso: "M12 4c5 0 9 2.5 9 6s-4 6-9 6-9-2.5-9-6 4-6 9-6M7 15c-2 1-2 3 0 3s2 2 0 3",
  swap: "M4 8h13m0 0-4-4m4 4-4 4M20 16H7m0 0 4-4m-4 4 4 4",
  steps: "M3 6h5v12H3zM10 6h5v12h-5zM17 6h4v12h-4",
  play: "M7 4l13 8-13 8z",
  pause: "M8 5v14M16 5v14",
  restore: "M7 21h12M5 14l8-9 6 5-8 9H8z",
  hand: "M8 13V6a1.5 1.5 0 0 1 3 0v5-7a1.5 1.5 0 0 1 3 0v7-5a1.5 1.5 0 0 1 3 0v8c0 4-2 7-6 7-3 0-4.5-1.5-6-4l-2-4a1.5 1.5 0 0 1 2.5-1.5z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  share: "M12 15V3m0 0L8 7m4-4 4 4M6 11H5v10h14V11h-1",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.1M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18",
  close: "M6 6l12 12M18 6 6 18",
  left: "m15 5-7 7 7 7",
  right: "m9 5 7 7-7 7",
};

export function icon(name) {
  return `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${ICON_PATHS[name]}"/></svg>`;
}
