-- A topic is asked for by its id when a task is made of it.
CREATE INDEX hotspot_topic ON hotspot(topic);
