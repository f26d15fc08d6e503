/** Text with a contrast below 4.5 to 1 against what lies behind it (WCAG 2.2, 1.4.3). Runs in the browser, shadow roots included. */
export const FAINT_TEXT = `(() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
  const light = ({ r, g, b }) => [r, g, b]
    .map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a === 1) return colour;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const faint = [];
  const within = (root, selector) => [...root.querySelectorAll(selector)]
    .flatMap((element) => [element, ...(element.shadowRoot ? within(element.shadowRoot, '*') : [])]);
  for (const element of within(document, '#console *')) {
    if (element.localName === 'style') continue;
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest('svg, .hidden, .skip')) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(element.className + ' "' + element.textContent.slice(0, 30) + '" ' + ratio.toFixed(2));
  }
  return faint;
})()`;
