namespace Orderwright.Runtime.Tests;

public sealed class ClockSetBackTests
{
    readonly SettableTime time = new();

    [Fact]
    public void A_clock_that_goes_right_was_not_set_back()
    {
        var clock = new ClockSetBack(time);
        Assert.False(clock.Happened());
        time.Pass(TimeSpan.FromHours(1));
        Assert.False(clock.Happened());
    }

    [Fact]
    public void One_that_was_set_ahead_was_not_set_back_either()
    {
        var clock = new ClockSetBack(time);
        clock.Happened();
        time.Set(TimeSpan.FromMinutes(20));
        Assert.False(clock.Happened());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(800)]
    public void One_that_was_set_back_was_once_however_long_it_was_not_looked_at(int seconds)
    {
        var clock = new ClockSetBack(time);
        clock.Happened();
        time.Pass(TimeSpan.FromSeconds(seconds));
        time.Set(TimeSpan.FromSeconds(-6));
        Assert.True(clock.Happened());
        Assert.False(clock.Happened());
    }

    [Fact]
    public void A_moment_does_not_count()
    {
        var clock = new ClockSetBack(time);
        clock.Happened();
        time.Set(-ClockSetBack.Least);
        Assert.False(clock.Happened());
    }

    sealed class SettableTime : TimeProvider
    {
        TimeSpan passed = TimeSpan.FromDays(1);
        DateTimeOffset shown = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public void Pass(TimeSpan time) => (passed, shown) = (passed + time, shown + time);

        public void Set(TimeSpan by) => shown += by;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => passed.Ticks;

        public override DateTimeOffset GetUtcNow() => shown;
    }
}
