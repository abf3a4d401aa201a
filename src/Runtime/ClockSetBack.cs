using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// What a clock that was ahead has put off until long after it was set right again is brought forward. No timer is ever set
/// further ahead than <see cref="LongestPause"/>: one that is was set in a future which has not come.
/// </summary>
public static class ClockSetBack
{
    /// <summary>Of anything that is asked or looked up again.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <param name="bringForward">Sets what is due after <c>@too_far</c> to <c>@now</c>.</param>
    public static TimedJob Job(SqlQuery bringForward) => new(
        "mind-the-clock", LookEvery,
        // However many there were, nobody is left after one statement.
        async (work, _) =>
        {
            await work.ExecuteAsync(
                bringForward, SqlArgs.With("now", work.Now).And("too_far", work.Now + LongestPause + Margin));
            return 0;
        });
}
