namespace Orderwright.Runtime.Tests;

public sealed class WallClockTests
{
    readonly SettableTime time = new();
    readonly WallClock clock;

    public WallClockTests()
    {
        clock = new WallClock(time);
        clock.Now();
    }

    [Fact]
    public void A_clock_that_goes_right_was_not_set_back()
    {
        time.Pass(TimeSpan.FromHours(1));
        Assert.Equal(time.GetUtcNow(), clock.Now());
        Assert.Equal(0, clock.SetBacks);
    }

    [Fact]
    public void One_that_was_set_ahead_was_not_set_back_either()
    {
        time.Set(TimeSpan.FromMinutes(20));
        clock.Now();
        Assert.Equal(0, clock.SetBacks);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(800)]
    public void A_clock_set_back_counts_once_however_long_it_was_not_read(int seconds)
    {
        time.Pass(TimeSpan.FromSeconds(seconds));
        time.Set(TimeSpan.FromSeconds(-6));
        clock.Now();
        clock.Now();
        Assert.Equal(1, clock.SetBacks);
    }

    [Fact]
    public void A_clock_briefly_ahead_is_detected_if_it_was_read_meanwhile()
    {
        time.Set(TimeSpan.FromMinutes(5));
        time.Set(TimeSpan.FromMinutes(-5));
        clock.Now();
        Assert.Equal(0, clock.SetBacks);
        time.Set(TimeSpan.FromMinutes(5));
        clock.Now();
        time.Set(TimeSpan.FromMinutes(-5));
        clock.Now();
        Assert.Equal(1, clock.SetBacks);
    }

    [Fact]
    public void A_moment_does_not_count()
    {
        time.Set(-WallClock.SmallestJump);
        clock.Now();
        Assert.Equal(0, clock.SetBacks);
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
