import { describe, expect, test } from "vitest";
import { createAddressGuard, isAddressBlock } from "./address-guard.ts";

const guard = createAddressGuard([]);
const asPublic = { allowPrivate: false, isEncrypted: true };
const asPrivate = { allowPrivate: true, isEncrypted: false };

const PUBLIC = [
  "1.1.1.1",
  "93.184.216.34",
  "172.15.0.1",
  "172.32.0.1",
  "2606:4700::1111",
  "2001:200::1",
  "::ffff:1.1.1.1",
];
const PRIVATE = [
  "10.0.0.1",
  "127.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "100.64.0.1",
  "::1",
  "fd00::1",
  "::ffff:10.0.0.1",
  "64:ff9b::a00:1",
];
const NEVER = [
  "0.0.0.0",
  "169.254.169.254",
  "::ffff:169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "100.100.100.200",
  "192.0.0.192",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "fd00:ec2::254",
  "192.0.2.1",
  "198.18.0.1",
  "203.0.113.1",
  "2001:db8::1",
  "2002:a00:1::1",
  "::a00:1",
  "::ffff:0:a00:1",
  "fec0::1",
  "nowhere",
  "",
];

describe("createAddressGuard", () => {
  test.each(PUBLIC)("lets https go to %s, and nothing else", (address) => {
    expect(guard.faultOf(address, asPublic)).toBeUndefined();
    expect(guard.faultOf(address, asPrivate)).toContain("not https");
  });

  test.each(PRIVATE)("lets only who may be private go to %s", (address) => {
    expect(guard.faultOf(address, asPublic)).toBe("is private");
    expect(guard.faultOf(address, asPrivate)).toBeUndefined();
  });

  test.each(NEVER)("lets nobody go to %j", (address) => {
    expect(guard.faultOf(address, asPublic)).toBeDefined();
    expect(guard.faultOf(address, asPrivate)).toBeDefined();
  });

  test("lets everybody go to a block that is named, also without TLS, and to no other", () => {
    const allowing = createAddressGuard(["10.20.0.0/16", "fd00:ec2::/32"]);
    const plain = { allowPrivate: false, isEncrypted: false };
    expect(["10.20.1.1", "::ffff:10.20.1.1", "fd00:ec2::254"].map((one) => allowing.faultOf(one, plain))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(allowing.faultOf("10.21.0.1", plain)).toBe("is private");
  });
});

describe("isAddressBlock", () => {
  test.each(["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::1/128"])("knows %s", (text) => {
    expect(isAddressBlock(text)).toBe(true);
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0/8", "10.0.0.0/8/8", "10.0.0.0/", "/8", "host/8"])(
    "refuses %s",
    (text) => {
      expect(isAddressBlock(text)).toBe(false);
    },
  );
});
