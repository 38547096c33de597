export { aBot, aToken, anAddress, anEvent, anEventId } from "@assay/fingerprint/stand-in";
