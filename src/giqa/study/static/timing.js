// A picture for so many milliseconds, by the frames of the screen.
"use strict";

// Shows `picture`, then `mask` in its place; resolves with the milliseconds between the two frames. A frame callback
// gets the time when its frame began; what it changes is on the screen with that frame. The picture goes in the frame that begins
// nearest to the time asked for: half a frame early is as far off as half a frame late, and no error adds up.
// A callback that comes late in its frame may miss it, and the first ones after a rest do: the picture appears only
// once frames have been coming for a while, and in one that has just begun.
function expose(picture, mask, milliseconds) {
  return new Promise((resolve) => {
    let begun = null;
    let before = null;
    let frame = 1000 / 60;
    let ticks = 0;
    function tick(now) {
      const late = Math.max(0, performance.now() - now);
      if (before !== null && now > before) frame = Math.min(frame, now - before);
      before = now;
      ticks += 1;
      if (begun === null) {
        if ((ticks > 3 && late < frame / 4) || ticks > 30) {
          begun = now;
          picture.classList.add("here");
        }
      } else if (now - begun >= milliseconds - frame / 2) {
        picture.classList.remove("here");
        mask.classList.add("here");
        resolve(now - begun + frame * Math.floor(late / frame)); // whole frames that were missed
        return;
      }
      requestAnimationFrame(tick);
    }
    requestAnimationFrame(tick);
  });
}

// Noise of several grains over the whole picture, which removes its after-image.
function drawMask(canvas, width, height) {
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  for (const share of [4, 8, 16, 32]) {
    const grain = Math.max(1, Math.round(Math.max(width, height) / share));
    for (let y = 0; y < height; y += grain) {
      for (let x = 0; x < width; x += grain) {
        const [r, g, b] = crypto.getRandomValues(new Uint8Array(3));
        pen.fillStyle = `rgba(${r},${g},${b},${share === 4 ? 1 : 0.5})`;
        pen.fillRect(x, y, grain, grain);
      }
    }
  }
}
