// Work kept in this browser, if its visitor wants that: the document as it was opened, once, and its edits, each time.
// Both are deleted when the visitor says so, or after a day.
const DAY = 24 * 3600 * 1000;
const MOST = 4; // works of several tabs

function database() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("pise-studio", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("work", { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = opening.onblocked = () => reject(opening.error);
  });
}
async function inStore(mode, act) {
  const db = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction("work", mode);
      const request = act(transaction.objectStore("work"));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    db.close();
  }
}
export const kept = {
  // The newest first; what is older than a day is deleted on the way.
  async all() {
    const found = await inStore("readonly", (store) => store.getAll());
    const old = found.filter((work) => work.saved < Date.now() - DAY);
    for (const { id } of old) await kept.remove(id);
    return found.filter((work) => !old.includes(work)).sort((a, b) => b.saved - a.saved);
  },
  async put(work) {
    await inStore("readwrite", (store) => store.put(work));
    for (const { id } of (await kept.all()).slice(MOST)) await kept.remove(id);
  },
  get: (id) => inStore("readonly", (store) => store.get(id)),
  remove: (id) => inStore("readwrite", (store) => store.delete(id)),
  clear: () => inStore("readwrite", (store) => store.clear()),
};
