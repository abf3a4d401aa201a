namespace Orderwright.OperatorConsole;

/// <summary>
/// Horizontal scale of a timeline, from 1 to 99 percent of the width. Long pauses are cut to a narrow gap, so steps of
/// milliseconds stay visible beside an operator's action an hour later.
/// </summary>
public sealed class TimeScale
{
    const double Left = 1, Right = 99, PauseWidth = 3, NarrowestStretch = 6;

    // A pause is cut if the pause would take more than this share of the remaining time.
    const double LongestPause = 0.4;
    const int MaxCuts = 4;

    readonly List<(DateTimeOffset From, DateTimeOffset To, double X0, double X1)> stretches = [];

    TimeScale()
    {
    }

    /// <summary>Middle of each cut pause, in percent.</summary>
    public IEnumerable<double> Pauses => stretches.Zip(stretches.Skip(1), (left, right) => (left.X1 + right.X0) / 2);

    /// <param name="spans">Times with activity; at least one.</param>
    public static TimeScale Of(IReadOnlyList<(DateTimeOffset From, DateTimeOffset To)> spans)
    {
        var busy = Merge(spans);
        var cut = Cut(busy);
        List<(DateTimeOffset From, DateTimeOffset To)> kept = [];
        var from = busy[0].From;
        for (var i = 0; i < busy.Count; i++)
            if (i == busy.Count - 1 || cut.Contains(i))
            {
                kept.Add((from, busy[i].To));
                if (i < busy.Count - 1) from = busy[i + 1].From;
            }
        return Lay(kept);
    }

    /// <summary>Position of a moment, in percent.</summary>
    public double X(DateTimeOffset at)
    {
        var (from, to, x0, x1) = stretches.LastOrDefault(stretch => stretch.From <= at, stretches[0]);
        return to == from ? x0 : Math.Clamp(x0 + (at - from) / (to - from) * (x1 - x0), x0, x1);
    }

    /// <summary>
    /// Labels of the axis: position, time since the start, anchor of the text, and whether the label is dispensable on a narrow
    /// screen.
    /// </summary>
    public IEnumerable<(double At, TimeSpan After, string Anchor, bool Minor)> Marks()
    {
        var began = stretches[0].From;
        if (stretches is [var (from, to, x0, x1)])
        {
            foreach (var part in new[] { 0, 0.25, 0.5, 0.75, 1 })
                yield return (
                    x0 + part * (x1 - x0), part * (to - from), part == 0 ? "start" : part == 1 ? "end" : "middle",
                    part is 0.25 or 0.75);
            yield break;
        }
        foreach (var (start, end, left, right) in stretches)
        {
            var isLast = right > Right - 1;
            if (end > start && right - left > 25)
            {
                yield return (left, start - began, "start", start > began);
                yield return (right, end - began, "end", !isLast);
            }
            else yield return isLast ? (right, start - began, "end", false) : (left, start - began, "start", start > began);
        }
    }

    static List<(DateTimeOffset From, DateTimeOffset To)> Merge(IReadOnlyList<(DateTimeOffset From, DateTimeOffset To)> spans)
    {
        var merged = new List<(DateTimeOffset From, DateTimeOffset To)>();
        foreach (var (from, to) in spans.OrderBy(span => span.From))
            if (merged is [.., var last] && from <= last.To) merged[^1] = (last.From, to > last.To ? to : last.To);
            else merged.Add((from, to));
        return merged;
    }

    // Indexes of the busy times that a cut pause follows.
    static HashSet<int> Cut(List<(DateTimeOffset From, DateTimeOffset To)> busy)
    {
        var cut = new HashSet<int>();
        var left = busy[^1].To - busy[0].From;
        foreach (var (pause, after) in Enumerable.Range(0, busy.Count - 1)
            .Select(i => (Pause: busy[i + 1].From - busy[i].To, After: i)).OrderByDescending(gap => gap.Pause))
        {
            if (pause <= LongestPause * left || cut.Count == MaxCuts) break;
            cut.Add(after);
            left -= pause;
        }
        return cut;
    }

    static TimeScale Lay(List<(DateTimeOffset From, DateTimeOffset To)> kept)
    {
        var scale = new TimeScale();
        var all = kept.Aggregate(TimeSpan.Zero, (sum, stretch) => sum + (stretch.To - stretch.From));
        var free = Right - Left - PauseWidth * (kept.Count - 1) - NarrowestStretch * kept.Count;
        var x = Left;
        foreach (var (from, to) in kept)
        {
            var width = NarrowestStretch + (all > TimeSpan.Zero ? (to - from) / all * free : free / kept.Count);
            scale.stretches.Add((from, to, x, x + width));
            x += width + PauseWidth;
        }
        return scale;
    }
}
