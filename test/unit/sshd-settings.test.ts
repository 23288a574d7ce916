import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keyFilesOf, parseSshdSettings, settingOf } from "../../src/formats/sshd-settings.ts";

describe("what sshd -T prints", () => {
  const settings = parseSshdSettings(
    "port 22\nport 2222\nusepam yes\nbanner none\nversionaddendum \nauthorizedkeysfile .ssh/authorized_keys /etc/keys/%u\n",
  );

  it("is read by keyword, whatever its case", () => {
    assert.deepEqual(settings.get("port"), ["22", "2222"]);
    assert.equal(settingOf(settings, "UsePAM"), "yes");
    assert.equal(settingOf(settings, "versionaddendum"), "");
    assert.equal(settingOf(settings, "nothing"), undefined);
  });

  it("says where keys are looked for, in this order", () => {
    assert.deepEqual(keyFilesOf(settings), [".ssh/authorized_keys", "/etc/keys/%u"]);
    assert.deepEqual(keyFilesOf(parseSshdSettings("authorizedkeysfile none\n")), []);
  });
});
