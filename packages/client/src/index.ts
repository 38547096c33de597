export type { Producer, ProducerOptions } from "./producer.ts";
