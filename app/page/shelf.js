/* The shelf: one's poems, kept in this browser alone, in an IndexedDB store. */

const NAME = "yin", STORE = "poems", MOST = 2000;

/* An IndexedDB request as a promise. */
function settled(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

export class Shelf {
  /* The store, for reading or writing; rejected where the browser keeps nothing. */
  async store(mode) {
    this.opened ??= this.open();
    return (await this.opened).transaction(STORE, mode).objectStore(STORE);
  }

  open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    return settled(request);
  }

  /* Keeps an entry, {id, at, favourite, state, …}; one that is there already keeps its date and its star. */
  async keep(entry) {
    const store = await this.store("readwrite"), before = await settled(store.get(entry.id));
    const { at, favourite } = before || entry;
    await settled(store.put({ ...entry, at, favourite }));
    if (!before) await this.makeRoom();
  }

  /* Drops the oldest poems without a star where there are too many. */
  async makeRoom() {
    if ((await settled((await this.store("readonly")).count())) <= MOST) return;
    const plain = (await this.all()).filter(({ favourite }) => !favourite);
    await this.remove(plain.slice(-Math.ceil(MOST / 20)).map(({ id }) => id));
  }

  async isFavourite(id) {
    return Boolean((await settled((await this.store("readonly")).get(id)))?.favourite);
  }

  async favour(id, favourite) {
    const store = await this.store("readwrite"), entry = await settled(store.get(id));
    if (entry) await settled(store.put({ ...entry, favourite }));
  }

  /* Every entry, the newest first. */
  async all() {
    const entries = await settled((await this.store("readonly")).getAll());
    return entries.sort((one, other) => other.at - one.at);
  }

  async remove(ids) {
    const store = await this.store("readwrite");
    await Promise.all(ids.map((id) => settled(store.delete(id))));
  }

  /* Puts entries back as they were. */
  async restore(entries) {
    const store = await this.store("readwrite");
    await Promise.all(entries.map((entry) => settled(store.put(entry))));
  }
}
