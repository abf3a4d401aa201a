using Orderwright.Http.Outgoing;

namespace Orderwright.Rules.Tests;

/// <summary>Circuit breaker and retry budget of a failing server.</summary>
public class BreakerTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);

    static Breaker New() => new(breakAfter: 20, retryBudget: 20);

    static Breaker Opened()
    {
        var breaker = New();
        for (var i = 0; i < 19; i++) Assert.False(breaker.Record(isAnswered: false, Now));
        Assert.True(breaker.Record(isAnswered: false, Now));
        return breaker;
    }

    [Fact]
    public void The_breaker_opens_after_many_failures_and_lets_one_request_through_after_a_pause()
    {
        var breaker = Opened();
        Assert.Equal(Breaker.FirstPause, breaker.Refuses(false, Now)!.Value.After);
        Assert.Equal(TimeSpan.FromSeconds(1), breaker.Refuses(false, Now.AddSeconds(4.9))!.Value.After);
        Assert.Null(breaker.Refuses(false, Now.AddSeconds(5)));
        Assert.NotNull(breaker.Refuses(false, Now.AddSeconds(5)));
    }

    [Fact]
    public void The_breaker_stays_open_longer_each_time_and_closes_with_the_first_answer()
    {
        var breaker = Opened();
        var at = Now;
        foreach (var pause in new[] { 5, 10, 15, 15 })
        {
            Assert.NotNull(breaker.Refuses(false, at.AddSeconds(pause - 0.1)));
            at = at.AddSeconds(pause);
            Assert.Null(breaker.Refuses(false, at));
            Assert.False(breaker.Record(isAnswered: false, at));
        }
        at = at.AddSeconds(15);
        Assert.Null(breaker.Refuses(false, at));
        Assert.True(breaker.Record(isAnswered: true, at));
        Assert.False(breaker.IsOpen);
        for (var i = 0; i < 100; i++) Assert.Null(breaker.Refuses(false, at));
    }

    [Fact]
    public void A_few_failures_among_many_answers_do_not_open_the_breaker()
    {
        var breaker = New();
        for (var i = 0; i < 1_000; i++) Assert.False(breaker.Record(isAnswered: i % 25 != 0, Now.AddMilliseconds(10 * i)));
        Assert.Null(breaker.Refuses(false, Now.AddSeconds(10)));
    }

    [Fact]
    public void Old_failures_do_not_count()
    {
        var breaker = New();
        for (var i = 0; i < 100; i++) Assert.False(breaker.Record(isAnswered: false, Now.AddSeconds(3 * i)));
    }

    [Fact]
    public void A_clock_set_back_does_not_keep_the_breaker_open()
    {
        var breaker = Opened();
        Assert.Null(breaker.Refuses(false, Now.AddHours(-2)));
        Assert.True(breaker.Record(isAnswered: true, Now.AddHours(-2)));
    }

    [Fact]
    public void Repetitions_are_limited_to_a_share_of_first_requests()
    {
        var breaker = New();
        var repetitions = 0;
        for (var i = 0; i < 1_000; i++)
        {
            Assert.Null(breaker.Refuses(isRepetition: false, Now));
            while (breaker.Refuses(isRepetition: true, Now) is null) repetitions++;
        }
        Assert.InRange(repetitions, 200, 215);
        // A trickle continues; otherwise the last order would wait for the next customer.
        Assert.Null(breaker.Refuses(isRepetition: true, Now.AddSeconds(10)));
    }
}
