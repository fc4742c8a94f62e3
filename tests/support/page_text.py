"""Every text that a page with figures shows: its contrast, how it begins, and its size."""

TEXTS = """(() => {
  const channels = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest('title')) continue;
    const style = getComputedStyle(element);
    const svg = element.closest('svg');
    const colour = channels(svg ? style.fill : style.color);
    const [a, b] = [luminance(colour), luminance(behind(svg ? svg.parentElement : element))].sort((x, y) => y - x);
    found.push([(a + .05) / (b + .05), walker.currentNode.textContent.trim().slice(0, 40),
      parseFloat(style.fontSize) * (svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1)]);
  }
  return found;
})()"""
"""Expression: [contrast with what lies behind it (WCAG 2.1, relative luminance), beginning, size in px] of each text.

No text lies on a figure's bars; what lies behind a text of an SVG is the card around it. `chromium.CONTRASTS` is for
pages without figures.
"""
