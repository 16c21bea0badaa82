const pairs = "aàbƀcçdďeéfƒgğhĥiîjĵkķlļmɱnñoöpþrřsštŧuûwŵyýzžAÀBƁCÇDĎEÉGĞHĤIÎKĶLĻMṀNÑOÖPÞRŘSŠTŦUÛVṼWŴYÝ".match(/../gu);
const letters = new Map(pairs?.map((pair) => [...pair] as [string, string]));

/** A text as a made-up language would have it: other letters, in brackets, 40 % longer. What stays plain was not in the catalogue. */
export function pseudo(text: string): string {
  const changed = text
    .split(/(\{\w+\}|<\/?\w+>)/)
    .map((part, at) => (at % 2 ? part : [...part].map((letter) => letters.get(letter) ?? letter).join("")))
    .join("");
  return `⟦${changed}${"·".repeat(Math.ceil(text.length * 0.4))}⟧`;
}
