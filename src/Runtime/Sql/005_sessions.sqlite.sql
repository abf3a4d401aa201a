-- Sessions of the console that ended before their time: a single session, or all of a person.
CREATE TABLE ended_sessions (
    session   TEXT    PRIMARY KEY,
    ended_at  INTEGER NOT NULL, -- sessions of the person that began later are not meant
    forget_at INTEGER NOT NULL
) STRICT;
