-- What happened in a span of time, over all cases (Open311's updates).  Rows come in the order of `at`, so it grows at its end.
CREATE INDEX history_at ON history(at, subject, seq);
