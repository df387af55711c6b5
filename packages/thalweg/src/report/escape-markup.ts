const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

// Neither XML 1.0 nor a reader has a use for control characters; one of them makes an SVG file unreadable.
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Text without the characters that XML forbids: control characters and lone surrogates. */
export function printable(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd')
}

/** Text made safe inside HTML or SVG, as content and as a quoted attribute. */
export function escapeMarkup(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character])
}
