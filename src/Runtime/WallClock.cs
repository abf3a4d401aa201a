namespace Orderwright.Runtime;

/// <summary>
/// Clock of stored times and of every decision by time: the process clock, corrected by and compared with the database's
/// clock. All timers are set from this clock, so an advance of the clock, however brief, is detected by the next reading,
/// provided the clock was read in between. The clock stands still rather than go back, except for a set-back of more than
/// <see cref="SmallestJump"/>: waiting would delay every timer by as much, so the clock follows and the timers are repaired.
/// </summary>
/// <remarks>
/// A process clock that jumps by more than the tolerance is not followed until the database's clock confirms the new time;
/// meanwhile the machine's monotonic clock carries the time on. Without a clock in the database (SQLite) nothing can tell a
/// wrong clock from a machine that slept: the new time is used, and decisions wait for <see cref="Settling"/>.
/// </remarks>
/// <param name="time">Process clock.</param>
/// <param name="tolerance">Largest credible deviation; zero for any.</param>
public sealed class WallClock(TimeProvider time, TimeSpan tolerance = default)
{
    /// <summary>
    /// Smallest backward jump that counts; after smaller jumps the clock stands still until the time has caught up.
    /// </summary>
    public static readonly TimeSpan SmallestJump = TimeSpan.FromSeconds(5);

    /// <summary>Time without expiry and purge after a jump that no other clock can confirm.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromMinutes(5);

    readonly Lock gate = new();
    (DateTimeOffset Shown, long Timestamp)? last;
    TimeSpan correction;
    bool isCompared;
    bool wasConfirmed;
    string? deviation;
    (string Why, long Since)? unsettled;
    double skewSeconds;
    int setBacks;

    /// <summary>
    /// True once the database has confirmed or corrected the time. Without a clock in the database the time may be wrong by days.
    /// </summary>
    public bool IsCompared
    {
        get
        {
            lock (gate) return isCompared;
        }
    }

    /// <summary>Number of times the clock was found to be set back.</summary>
    public int SetBacks => Volatile.Read(ref setBacks);

    /// <summary>Deviation of the process clock from the database's, in seconds; 0 without a clock in the database.</summary>
    public double SkewSeconds => Volatile.Read(ref skewSeconds);

    /// <summary>Sentence about clocks that disagree; null while they agree, or while there is a single clock.</summary>
    public string? Deviation => Volatile.Read(ref deviation);

    /// <summary>Reason why nothing may be decided by time at present; null if the time is certain.</summary>
    public string? Doubt
    {
        get
        {
            lock (gate)
                return deviation
                    ?? (unsettled is { } jump && time.GetElapsedTime(jump.Since) < Settling ? jump.Why : null);
        }
    }

    public DateTimeOffset Now()
    {
        lock (gate)
        {
            var (shown, timestamp) = (time.Now() + correction, time.GetTimestamp());
            if (last is { } before)
            {
                var expected = before.Shown + time.GetElapsedTime(before.Timestamp, timestamp);
                if (IsBeyondTolerance(shown - expected))
                {
                    var why = $"The clock of this machine jumped by {Text(shown - expected)}.";
                    if (!isCompared) unsettled = (why, timestamp);
                    else
                    {
                        Volatile.Write(ref deviation, deviation ?? why);
                        shown = expected.ToWholeMilliseconds();
                    }
                }
            }
            return Show(shown, timestamp);
        }
    }

    /// <summary>Compares with the last moment at which the database was in use; for databases without a clock.</summary>
    public void Resume(DateTimeOffset lastSeen)
    {
        var now = Now();
        lock (gate)
        {
            if (tolerance == TimeSpan.Zero || isCompared) return;
            if (now - lastSeen is var gap && (gap > Settling || gap < -tolerance))
                unsettled = (
                    $"The clock of this machine is {Text(gap)} from the last moment seen by the database.",
                    last!.Value.Timestamp);
        }
    }

    /// <summary>Compares with the database's clock, read between two moments of this process.</summary>
    /// <param name="database">Database's clock.</param>
    /// <param name="before">Process clock before the request.</param>
    /// <param name="took">Time from the request to the reply, by the monotonic clock.</param>
    public void Compare(DateTimeOffset database, DateTimeOffset before, TimeSpan took)
    {
        if (tolerance == TimeSpan.Zero) return;
        // The reply was made at some moment of the round trip: the smallest correction that explains the reply is right.
        var (least, most) = (database - (before + took), database - before);
        var needed = least > TimeSpan.Zero ? least : most < TimeSpan.Zero ? most : TimeSpan.Zero;
        lock (gate)
        {
            isCompared = true;
            Volatile.Write(ref skewSeconds, -needed.TotalSeconds);
            var agrees = !IsBeyondTolerance(needed);
            Volatile.Write(
                ref deviation,
                agrees ? null
                    : $"The clock of this machine deviates by {Text(-needed)} from the database's: nothing expires and " +
                      "nothing is purged until the clocks agree.");
            // At the start the database is believed; later a deviation may be the fault of either clock, and neither is
            // followed.
            if (!agrees && wasConfirmed) return;
            wasConfirmed |= agrees;
            // A correction below the round trip's precision would only make times uneven.
            correction = TimeSpan.FromMilliseconds(Math.Round(needed.TotalMilliseconds));
            Show(time.Now() + correction, time.GetTimestamp());
        }
    }

    DateTimeOffset Show(DateTimeOffset shown, long timestamp)
    {
        if (last is { } before)
        {
            if (shown + SmallestJump < before.Shown + time.GetElapsedTime(before.Timestamp, timestamp)) setBacks++;
            else if (shown < before.Shown) shown = before.Shown;
        }
        last = (shown, timestamp);
        return shown;
    }

    bool IsBeyondTolerance(TimeSpan difference) => tolerance > TimeSpan.Zero && difference.Duration() > tolerance;

    static string Text(TimeSpan difference) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{difference.TotalSeconds:F0} s");
}

/// <summary>
/// Time of a service's parts: the moment of its <see cref="WallClock"/>, and timers of the process, which no wall clock moves.
/// </summary>
sealed class ServiceTime(TimeProvider process, WallClock clock) : TimeProvider
{
    public override long TimestampFrequency => process.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => process.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => clock.Now();

    public override long GetTimestamp() => process.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        process.CreateTimer(callback, state, dueTime, period);
}
