// Small comforts on top of pages that work without them: one player at a time, and the keys that the help names.

const players = () => [...document.querySelectorAll("audio")];

document.addEventListener("play", (event) => {
  for (const player of players()) if (player !== event.target) player.pause();
}, true);

// A long list should not fetch every recording: a player learns its length when its row is opened.
document.addEventListener("toggle", (event) => {
  if (!(event.target instanceof HTMLDetailsElement)) return;
  const player = event.target.querySelector("audio");
  if (!player) return;
  if (event.target.open) player.preload = "metadata";
  else player.pause();
}, true);

document.addEventListener("keydown", (event) => {
  const row = event.target instanceof Element ? event.target.closest("details[open]") : null;
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.closest("a, button, audio, input")) return;
  const player = row.querySelector("audio");
  if (event.key === "Delete") row.querySelector("a[data-delete]")?.click();
  else if (event.key === " " && player) player.paused ? player.play() : player.pause();
  else if (event.key === "ArrowRight" && player) player.currentTime += 1;
  else if (event.key === "ArrowLeft" && player) player.currentTime = Math.max(0, player.currentTime - 1);
  else return;
  event.preventDefault();
});
