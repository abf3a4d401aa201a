-- Sessions of visitors that ended before their time. The statements are the same on both engines.

-- name: ended_sessions
SELECT session, ended_at FROM ended_sessions WHERE forget_at > @now;

-- name: end_session
INSERT INTO ended_sessions (session, ended_at, forget_at) VALUES (@session, @now, @forget_at)
ON CONFLICT (session) DO UPDATE SET ended_at = excluded.ended_at, forget_at = excluded.forget_at;

-- name: forget_ended_sessions
DELETE FROM ended_sessions WHERE forget_at <= @now;
