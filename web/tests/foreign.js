/**
 * Runs in the page: what stands there that no model's text may become. `foreignIn` is for the text itself, of which all
 * elements and attributes are listed; `foreignOnPage` is for the page around it.
 */

(() => {
  const CELL = ['class'];
  const ELEMENTS = {
    P: CELL, DIV: CELL, TH: CELL, TD: CELL, OL: ['start'], PRE: ['data-language'], A: ['href', 'target', 'rel'],
    H3: [], H4: [], H5: [], H6: [], UL: [], LI: [], BLOCKQUOTE: [], CODE: [], TABLE: [], THEAD: [], TBODY: [], TR: [],
    HR: [], BR: [], STRONG: [], EM: [], DEL: [],
  };
  const CLASSES = ['plain', 'scrolls', 'align-left', 'align-center', 'align-right'];
  const NEVER = [
    'img', 'iframe', 'object', 'embed', 'audio', 'video', 'base', 'template', 'math', 'foreignObject',
    ':is(meta, link, style, script):not(head > *)', '[srcdoc]', '[is]', '[action]', '[formaction]', '[background]',
  ].join();

  window.foreignIn = (root) => Array.from(root.querySelectorAll('*')).filter((each) => !isListed(each)).map(shown);
  window.foreignOnPage = () => [
    ...document.querySelectorAll(NEVER),
    ...Array.from(document.querySelectorAll('body *')).filter(isActive),
    ...Array.from(document.querySelectorAll('a[href]')).filter((each) => !isOwn(each) && !isWeb(each)),
    ...Array.from(document.querySelectorAll('.answer-text *')).filter((each) => !isListed(each)),
  ].map(shown);

  /** Renders each text anew for every place that it can be cut at, and once grown by single units. */
  window.feed = async (texts) => {
    const [{ render }, { html }, { AnswerText }] = await Promise.all([
      import('preact'), import('/web/html.js'), import('/web/components/answer-text.js'),
    ]);
    const found = [];
    let rendered = 0;
    for (const text of texts) {
      const whole = after([text]);
      const grown = after(Array.from({ length: text.length }, (_, at) => text.slice(0, at + 1)));
      if (grown !== whole) found.push(`grown otherwise: ${text}`);
      for (let at = 1; at < text.length; at += 1) {
        if (after([text.slice(0, at), text]) !== whole) found.push(`cut at ${at} otherwise: ${text}`);
      }
    }
    return { found, rendered };

    function after(stages) {
      const box = document.createElement('div');
      document.body.append(box);
      for (const stage of stages) {
        render(html`<${AnswerText} text=${stage} writing=${true} />`, box);
        rendered += 1;
        found.push(...window.foreignIn(box.firstChild));
      }
      const { innerHTML } = box;
      render(null, box);
      box.remove();
      return innerHTML;
    }
  };

  /** From now on, after every change of the page, what is foreign on it is kept in `window.foreign`. */
  window.watchForForeign = () => {
    window.foreign = [];
    const look = () => window.foreign.push(...window.foreignOnPage());
    const all = { childList: true, subtree: true, attributes: true, characterData: true };
    new MutationObserver(look).observe(document, all);
    look();
  };

  function isListed({ tagName, attributes }) {
    const allowed = Object.hasOwn(ELEMENTS, tagName) ? ELEMENTS[tagName] : null;
    if (allowed === null || (tagName === 'A' && attributes.rel?.value !== 'noopener noreferrer')) return false;
    return Array.from(attributes).every(({ name, value }) => {
      if (name === 'class') return allowed.includes(name) && CLASSES.includes(value);
      return allowed.includes(name) && (name !== 'href' || isWebAddress(value));
    });
  }

  function isActive({ attributes }) {
    return Array.from(attributes).some(({ name, value }) => name.startsWith('on') || /^\s*javascript:/i.test(value));
  }

  function isOwn(link) {
    return link.getAttribute('href').startsWith('#/');
  }

  function isWeb(link) {
    return isWebAddress(link.getAttribute('href'));
  }

  function isWebAddress(value) {
    return URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
  }

  function shown(element) {
    return element.cloneNode(false).outerHTML;
  }
})();
