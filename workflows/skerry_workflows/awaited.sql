-- Messages that ask something, and who waits for the answer.
CREATE TABLE question (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    run TEXT NOT NULL,
    signal TEXT NOT NULL,
    asked TEXT NOT NULL
);
