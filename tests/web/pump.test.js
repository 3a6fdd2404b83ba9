// Which previews are asked for, and when: the newest next, and no backlog.
import assert from "node:assert/strict";
import test, { mock } from "node:test";

const { createPump, page } = await import("../../app/web/common/store.js");

// A pump whose server answers when it is told to, and the time, which is only told here.
function server(answer = {}) {
  const now = { time: 0 };
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now.time);
  const asked = [];
  const shown = [];
  const pump = createPump(
    (request) => new Promise((resolve) => asked.push({ ...request, resolve })),
    (_, request) => shown.push(request.pose),
  );
  const pass = (milliseconds) => {
    now.time += milliseconds;
    mock.timers.tick(milliseconds);
  };
  const answered = async (index) => {
    asked[index].resolve({ ok: true, ...answer });
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { pump, asked, shown, pass, answered, poses: () => asked.map(({ pose }) => pose) };
}

test.afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

test("until an answer has come one is under way, and the newest is next", async () => {
  const { pump, pass, answered, poses, shown } = server();
  for (const pose of [1, 2, 3]) pump.push({ pose });
  pass(5000);
  assert.deepEqual(poses(), [1]);
  await answered(0);
  assert.deepEqual([poses(), shown], [[1, 3], [1]]);
});

test("the next one goes out when half of the time has passed that the last one took", async () => {
  const { pump, pass, answered, poses } = server();
  pump.push({ pose: 1 });
  pass(200);
  await answered(0);
  pump.push({ pose: 2 });
  pump.push({ pose: 3 });
  pass(99);
  assert.deepEqual(poses(), [1, 2]);
  pump.push({ pose: 4 });
  pass(1);
  assert.deepEqual(poses(), [1, 2, 4]);
  pump.push({ pose: 5 });
  pass(150); // never more than two
  assert.deepEqual(poses(), [1, 2, 4]);
  await answered(1);
  assert.deepEqual(poses(), [1, 2, 4, 5]);
});

test("an answer that was overtaken, or given up, is not shown", async () => {
  const { pump, pass, answered, shown } = server();
  pump.push({ pose: 1 });
  pass(100);
  await answered(0);
  pump.push({ pose: 2 });
  pass(60);
  pump.push({ pose: 3 });
  await answered(2);
  await answered(1);
  assert.deepEqual(shown, [1, 3]);
  pump.push({ pose: 4 });
  page.givenUp = page.seq;
  await answered(3);
  assert.deepEqual(shown, [1, 3]);
});

test("a server that takes long is asked once at a time, and so is one that failed", async () => {
  const { pump, asked, pass, answered, poses } = server();
  pump.push({ pose: 1 });
  pass(700);
  await answered(0);
  pump.push({ pose: 2 });
  pump.push({ pose: 3 });
  pass(650);
  assert.deepEqual(poses(), [1, 2]);
  pump.drop();
  asked[1].resolve(Promise.reject(new Error("gone")));
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  pump.push({ pose: 4 });
  pump.push({ pose: 5 });
  pass(5000);
  assert.deepEqual(poses(), [1, 2, 4]);
});
