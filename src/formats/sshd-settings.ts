/**
 * What `sshd -T` prints: the settings in force, a line for each value.
 */

/** By keyword in lower case: the values, in their order. */
export type SshdSettings = ReadonlyMap<string, readonly string[]>;

/** Reads what it printed; a keyword that stands on several lines has several values. */
export function parseSshdSettings(out: string): SshdSettings {
  const settings = new Map<string, string[]>();
  for (const line of out.split("\n")) {
    const [, keyword = "", value = ""] = /^([a-z0-9]+) ?(.*)$/.exec(line.trimEnd()) ?? [];
    if (keyword !== "") {
      settings.set(keyword, [...(settings.get(keyword) ?? []), value]);
    }
  }
  return settings;
}

/** The only or the first value of a keyword, `none` among them; undefined when it was not printed. */
export function settingOf(settings: SshdSettings, keyword: string): string | undefined {
  return settings.get(keyword.toLowerCase())?.[0];
}

/** Where sshd looks for the keys of a user, in this order, with its `%u` and `%h`; empty when nowhere. */
export function keyFilesOf(settings: SshdSettings): string[] {
  const words = settingOf(settings, "authorizedkeysfile")?.split(" ").filter(Boolean) ?? [];
  return words.filter((word) => word !== "none");
}
