import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { tableOf, translated } from "../../app/web/common/words.js";

const words = JSON.parse(readFileSync(new URL("../../app/web/strings/de.json", import.meta.url), "utf-8"));
const german = tableOf(words);
const say = (text) => translated(text, german);

test("a text, one with something in it, and several sentences", () => {
  assert.equal(say("Undo"), "Rückgängig");
  assert.equal(say("Held thing 2"), "Gehaltenes 2");
  assert.equal(
    say("Done. There is room now. Undo brings back the photo as it was."),
    "Fertig. Jetzt ist Platz. „Rückgängig“ bringt das Foto zurück, wie es war.",
  );
  assert.equal(say("Download PNG · 360 × 520"), "PNG laden · 360 × 520");
});

test("a number takes no sentence before it", () => {
  assert.equal(
    say("Ready. Drag a joint to change the pose. 2 people found: choose whom to edit."),
    "Bereit. Zum Ändern der Pose ein Gelenk ziehen. 2 Personen gefunden: bitte wählen, wer bearbeitet wird.",
  );
});

test("messages begin with a small letter in the code and with a capital on the page", () => {
  assert.equal(say("Open a photo first"), "Bitte zuerst ein Foto öffnen");
  assert.equal(say("open a photo first"), "bitte zuerst ein Foto öffnen");
});

test("names stay what they are, and words among them are translated", () => {
  assert.equal(say("my.photo (1).jpg is empty"), "my.photo (1).jpg ist leer");
  assert.equal(say("Paint Hair (key 1)"), "Haare malen (Taste 1)");
});

test("numbers have the language's decimal sign", () => {
  const withComma = tableOf(words, ",");
  assert.equal(translated("1.5 s", withComma), "1,5 s");
  assert.equal(translated("my.photo (1).jpg is empty", withComma), "my.photo (1).jpg ist leer");
});

test("what is not in the table is told apart", () => {
  assert.equal(say("Nobody has ever said so"), null);
  assert.equal(say("Done. Nobody has ever said so."), null);
});

test("every line of the table is found by what it says", () => {
  for (const english of Object.keys(words)) {
    const shown = english.replace(/\{\w+\}/g, "7");
    assert.notEqual(say(shown), null, english);
    assert.doesNotMatch(say(shown), /\{\w+\}/);
  }
});
