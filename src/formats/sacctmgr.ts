/**
 * Tables as the tools of Slurm print them with --parsable2 and --noheader: a row on each line, `|` between the fields.
 *
 * A field may hold a `|` of its own, such as a name that somebody else made. Such a row has too many fields, and cannot be
 * about anything of ours: it is passed over.
 */

/** The rows that have exactly so many fields. */
export function parseRows(text: string, fields: number): string[][] {
  return text
    .split("\n")
    .map((line) => line.split("|"))
    .filter((row) => row.length === fields);
}

/** The words of a comma list, sorted. */
export function parseNames(text: string): string[] {
  return text.split(",").filter(Boolean).sort();
}
