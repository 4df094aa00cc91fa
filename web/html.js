/** JSX without a build: html`<p>${text}</p>` is a preact node; text is always text. */

import htm from 'htm';
import { h } from 'preact';

export const html = htm.bind(h);
