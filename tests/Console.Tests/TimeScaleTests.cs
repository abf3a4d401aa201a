using Orderwright.OperatorConsole;

namespace Orderwright.ConsoleTests;

/// <summary>Scale of an order's timeline, from milliseconds to hours.</summary>
public sealed class TimeScaleTests
{
    static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_000);

    [Fact]
    public void Without_long_pauses_the_scale_is_linear()
    {
        var scale = TimeScale.Of([(At(0), At(30)), (At(40), At(60)), (At(70), At(100))]);
        Assert.Equal([1, 50, 99], new[] { At(0), At(50), At(100) }.Select(scale.X));
        Assert.Empty(scale.Pauses);
        Assert.Equal([0, 25, 50, 75, 100], scale.Marks().Select(mark => mark.After.TotalMilliseconds));
    }

    [Fact]
    public void An_action_an_hour_later_leaves_room_for_the_milliseconds_before()
    {
        var scale = TimeScale.Of([(At(0), At(50)), (At(50), At(100)), (At(3_600_000), At(3_600_000))]);
        Assert.InRange(scale.X(At(50)) - scale.X(At(0)), 35, 50);
        Assert.InRange(scale.X(At(3_600_000)), 90, 99);
        Assert.Single(scale.Pauses);
        Assert.Contains(scale.Marks(), mark => mark.After == TimeSpan.FromHours(1));
    }

    [Fact]
    public void A_single_moment_is_placed()
    {
        var scale = TimeScale.Of([(At(0), At(0))]);
        Assert.Equal(1, scale.X(At(0)));
        Assert.Empty(scale.Pauses);
    }

    [Fact]
    public void Later_times_are_never_further_left()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var spans = Enumerable.Range(0, random.Next(1, 12))
                .Select(_ => At(random.Next(random.Next(1, 6) == 1 ? 5_000_000 : 400)))
                .Select(from => (From: from, To: from.AddMilliseconds(random.Next(80)))).ToList();
            var scale = TimeScale.Of(spans);
            var places = spans.SelectMany(span => new[] { span.From, span.To }).Order().Select(scale.X).ToList();
            Assert.Equal(places.Order(), places);
            Assert.All(places, place => Assert.InRange(place, 0.99, 99.01));
        }
    }

    static DateTimeOffset At(int ms) => Start.AddMilliseconds(ms);
}
