-- Version 2. How many changes were committed; the mark beside the file says how many there must
-- be at least.
CREATE TABLE changes (
    only_row  BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    n_changes BIGINT NOT NULL CHECK (n_changes >= 0)
);

INSERT INTO changes (only_row, n_changes) VALUES (1, 0);
