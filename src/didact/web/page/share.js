// The text, compressed, in the fragment of the address: no server sees it.
const bytesToText = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const textToBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const through = async (bytes, stream) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

const LONGEST = 4_000_000; // a link of a few kilobytes may unpack to no more than this

export async function pack(text, language) {
  const packed = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  return `${language}.${bytesToText(packed)}`;
}

export async function unpack(fragment) {
  const [language, packed] = fragment.split(".", 2);
  const stream = new Blob([textToBytes(packed)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > LONGEST) throw new RangeError("too long");
    parts.push(value);
  }
  return { language, text: await new Blob(parts).text() };
}
