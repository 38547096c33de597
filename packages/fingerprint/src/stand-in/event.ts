import { randomBytes, randomInt } from "node:crypto";
import type { Event } from "@assay/protocol";

/** What is said of an event; everything else is an ordinary browser's. */
export type EventChanges = Partial<Event>;

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Random text of letters and digits. */
export function aToken(length: number): string {
  return Array.from(randomBytes(length), (byte) => LETTERS[byte % LETTERS.length]).join("");
}

/** An event id as the vendor makes them: unix ms, a dot, six characters. */
export function anEventId(at: number = Date.now()): string {
  return `${at}.${aToken(6)}`;
}

/** A public IPv4 address of documentation and test ranges. */
export function anAddress(): string {
  return `203.0.113.${randomInt(1, 255)}`;
}

/** A v4 event of an ordinary visitor in a browser, about 5 KB of JSON, identified a moment ago. */
export function anEvent(changes: EventChanges = {}): Event {
  const timestamp = changes.timestamp ?? Date.now();
  const address = changes.ip_address ?? anAddress();
  const userAgent =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36";
  return {
    event_id: anEventId(timestamp),
    timestamp,
    source: "device",
    incremental_identification_status: "completed",
    environment_id: "ae_47abaca3db2c7c43",
    sdk: { platform: "js", version: "4.1.0", integrations: [] },
    replayed: false,
    identification: {
      visitor_id: aToken(20),
      visitor_found: true,
      confidence: { score: 0.99, version: "1.1" },
      first_seen_at: timestamp - 30 * 86_400_000,
      last_seen_at: timestamp - 86_400_000,
    },
    url: "https://shop.example/checkout?step=2",
    ip_address: address,
    user_agent: userAgent,
    browser_details: {
      browser_name: "Chrome",
      browser_major_version: "146",
      browser_full_version: "146.0.7680",
      os: "Windows",
      os_version: "10",
      device: "Other",
    },
    bot: "not_detected",
    incognito: false,
    privacy_settings: false,
    virtual_machine: false,
    tampering: false,
    tampering_confidence: "high",
    tampering_details: { anomaly_score: 0.02, anti_detect_browser: false },
    developer_tools: false,
    vpn: false,
    vpn_confidence: "high",
    vpn_origin_timezone: "Europe/Berlin",
    vpn_methods: {
      timezone_mismatch: false,
      public_vpn: false,
      auxiliary_mobile: false,
      os_mismatch: false,
      relay: false,
    },
    proxy: false,
    proxy_confidence: "high",
    ip_blocklist: { email_spam: false, attack_source: false, tor_node: false },
    ip_info: {
      v4: {
        address,
        geolocation: {
          accuracy_radius: 20,
          latitude: 52.52,
          longitude: 13.4,
          postal_code: "10115",
          timezone: "Europe/Berlin",
          city_name: "Berlin",
          country_code: "DE",
          country_name: "Germany",
          continent_code: "EU",
          continent_name: "Europe",
          subdivisions: [{ iso_code: "BE", name: "Land Berlin" }],
        },
        asn: "3320",
        asn_name: "Deutsche Telekom AG",
        asn_network: "203.0.113.0/24",
        asn_type: "isp",
        datacenter_result: false,
      },
    },
    suspect_score: 0,
    velocity: {
      distinct_ip: windows(1, 1, 2),
      distinct_country: windows(1, 1, 1),
      distinct_linked_id: windows(0, 0, 1),
      events: windows(1, 2, 5),
      ip_events: windows(1, 3, 8),
    },
    high_activity_device: false,
    raw_device_attributes: {
      fonts: Array.from({ length: 48 }, (_, index) => `Font Family ${index}`),
      timezone: "Europe/Berlin",
      hardware_concurrency: 8,
      device_memory: 8,
      screen_resolution: [1920, 1080],
      languages: [["de-DE"], ["en-US"]],
      plugins: Array.from({ length: 5 }, (_, index) => ({
        name: `PDF Viewer ${index}`,
        description: "Portable Document Format",
      })),
      webgl_extensions: {
        unsupported_extensions: Array.from({ length: 30 }, (_, index) => `EXT_texture_compression_${index}`),
      },
      canvas: { winding: true, geometry: aToken(32), text: aToken(32) },
      audio: 124.04347527516074,
    },
    ...changes,
  };
}

/** An automation tool. */
export function aBot(changes: EventChanges = {}): Event {
  return anEvent({ bot: "bad", bot_type: "headlessChrome", suspect_score: 18, ...changes });
}

function windows(fiveMinutes: number, hour: number, day: number) {
  return { "5_minutes": fiveMinutes, "1_hour": hour, "24_hours": day };
}
