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

    [Fact]
    public void A_clock_set_back_by_a_moment_stands_still_until_the_time_has_caught_up()
    {
        var shown = clock.Now();
        time.Set(TimeSpan.FromSeconds(-4));
        Assert.Equal(shown, clock.Now());
        time.Pass(TimeSpan.FromSeconds(3));
        Assert.Equal(shown, clock.Now());
        time.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(shown.AddSeconds(1), clock.Now());
        Assert.Equal(0, clock.SetBacks);
    }

    [Fact]
    public void A_correction_by_a_moment_does_not_set_the_clock_back()
    {
        var compared = Compared();
        compared.Compare(time.GetUtcNow().AddSeconds(2), time.GetUtcNow(), TimeSpan.Zero);
        var shown = compared.Now();
        compared.Compare(time.GetUtcNow(), time.GetUtcNow(), TimeSpan.Zero);
        Assert.Equal(shown, compared.Now());
    }

    [Fact]
    public void A_jump_of_the_process_clock_is_not_followed_until_the_database_confirms_the_new_time()
    {
        var compared = Compared();
        time.Set(TimeSpan.FromDays(3));
        time.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(time.GetUtcNow() - TimeSpan.FromDays(3), compared.Now());
        Assert.NotNull(compared.Doubt);

        compared.Compare(time.GetUtcNow() - TimeSpan.FromDays(3), time.GetUtcNow(), TimeSpan.Zero);
        Assert.Contains("deviates by 259200 s", compared.Deviation, StringComparison.Ordinal);
        Assert.Equal(259_200, compared.SkewSeconds);
        Assert.Equal(time.GetUtcNow() - TimeSpan.FromDays(3), compared.Now());

        compared.Compare(time.GetUtcNow(), time.GetUtcNow(), TimeSpan.Zero);
        Assert.Null(compared.Doubt);
        Assert.Equal(time.GetUtcNow(), compared.Now());
    }

    [Fact]
    public void A_jump_of_the_databases_clock_is_not_followed_either()
    {
        var compared = Compared();
        compared.Compare(time.GetUtcNow().AddHours(1), time.GetUtcNow(), TimeSpan.Zero);
        Assert.NotNull(compared.Doubt);
        Assert.Equal(time.GetUtcNow(), compared.Now());
    }

    [Fact]
    public void A_process_that_starts_with_a_wrong_clock_uses_the_databases_and_decides_nothing()
    {
        var started = new WallClock(time, TimeSpan.FromSeconds(30));
        started.Compare(time.GetUtcNow().AddDays(-3), time.GetUtcNow(), TimeSpan.FromMilliseconds(2));
        Assert.NotNull(started.Doubt);
        time.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(time.GetUtcNow().AddDays(-3), started.Now());
    }

    [Theory]
    [InlineData(29, 0, false)]
    [InlineData(31, 0, true)]
    [InlineData(-31, 0, true)]
    [InlineData(-31, 2, false)]
    public void Clocks_differ_only_by_more_than_the_round_trip_explains(int ahead, int tookSeconds, bool differs)
    {
        var compared = new WallClock(time, TimeSpan.FromSeconds(30));
        compared.Compare(
            time.GetUtcNow().AddSeconds(-ahead), time.GetUtcNow(), TimeSpan.FromSeconds(tookSeconds));
        Assert.Equal(differs, compared.Deviation is not null);
    }

    [Fact]
    public void Instances_with_slightly_different_clocks_use_the_databases()
    {
        clock.Now();
        var compared = Compared();
        compared.Compare(time.GetUtcNow().AddSeconds(-20), time.GetUtcNow(), TimeSpan.Zero);
        Assert.Null(compared.Doubt);
        Assert.Equal(time.GetUtcNow().AddSeconds(-20), compared.Now());
    }

    [Fact]
    public void Without_a_clock_in_the_database_decisions_wait_after_a_jump()
    {
        var alone = new WallClock(time, TimeSpan.FromSeconds(30));
        alone.Now();
        time.Set(TimeSpan.FromMinutes(-1));
        Assert.Equal(time.GetUtcNow(), alone.Now());
        Assert.Contains("jumped by -60 s", alone.Doubt, StringComparison.Ordinal);
        time.Pass(WallClock.Settling);
        Assert.Null(alone.Doubt);
        Assert.Null(alone.Deviation);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(10, true)]
    [InlineData(-1, true)]
    public void Without_a_clock_in_the_database_decisions_wait_after_a_start_far_from_the_last_moment_seen(
        int minutesLater, bool waits)
    {
        var started = new WallClock(time, TimeSpan.FromSeconds(30));
        started.Resume(time.GetUtcNow().AddMinutes(-minutesLater));
        Assert.Equal(waits, started.Doubt is not null);
    }

    WallClock Compared()
    {
        var compared = new WallClock(time, TimeSpan.FromSeconds(30));
        compared.Compare(time.GetUtcNow(), time.GetUtcNow(), TimeSpan.Zero);
        compared.Now();
        return compared;
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
