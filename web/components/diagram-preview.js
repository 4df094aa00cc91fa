/** A chosen diagram, drawn small; it never leaves the page by this. */

import { useEffect, useRef, useState } from 'preact/hooks';

import { html } from '../html.js';

const WIDEST_PIXELS = 720;
const HIGHEST_PIXELS = 320;

/** @param {{file: File, remove: () => void}} props */
export function DiagramPreview({ file, remove }) {
  const canvas = useRef(null);
  const [unreadable, setUnreadable] = useState(false);
  useEffect(() => {
    let shown = true;
    setUnreadable(false);
    createImageBitmap(file).then(
      (picture) => { if (shown) draw(canvas.current, picture); },
      () => { if (shown) setUnreadable(true); }, // the service will say what is wrong with it
    );
    return () => { shown = false; };
  }, [file]);

  return html`
    <figure class="diagram-preview">
      ${!unreadable && html`<canvas ref=${canvas} width="0" height="0" role="img" aria-label="The diagram"></canvas>`}
      <figcaption>
        <span>${file.name} · ${(file.size / 1024).toFixed(0)} KiB</span>
        <button type="button" class="quiet" onClick=${remove}>Remove</button>
      </figcaption>
    </figure>
  `;
}

/** @param {HTMLCanvasElement} canvas @param {ImageBitmap} picture */
function draw(canvas, picture) {
  const scale = Math.min(1, WIDEST_PIXELS / picture.width, HIGHEST_PIXELS / picture.height);
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
}
