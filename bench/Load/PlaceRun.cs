using System.Diagnostics;

namespace Orderwright.Load;

/// <summary>Places orders, and ends once none is pending.</summary>
sealed class PlaceRun : Loop
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly PlaceCommand command;
    readonly OrderMix mix;
    readonly Latencies latencies = new();
    int confirmed;
    int rejected;
    int undecided;

    public PlaceRun(PlaceCommand command) : base(command)
    {
        this.command = command;
        mix = new OrderMix(command);
    }

    public override LoadResult Run()
    {
        Run(command.Orders, () => false);
        WaitUntilNoneIsPending();
        return new LoadResult(
            Answered, confirmed, rejected, undecided, Refused, Elapsed.TotalSeconds, latencies.Milliseconds());
    }

    protected override ReadOnlySpan<byte> RequestOf(int number) => mix[number];

    protected override void Take(int number, long since, Response response)
    {
        if (!mix.Waits(number)) return;
        var status = response.Body[(response.Body.IndexOf("\"status\":\""u8) + 10)..];
        if (status.StartsWith("rejected"u8))
        {
            // An order out of stock ends two steps earlier and would flatter the figures.
            rejected++;
            return;
        }
        if (status.StartsWith("confirmed"u8)) confirmed++;
        else undecided++;
        latencies.Add(since, Stopwatch.GetTimestamp());
    }

    // An order answered with 202 has not ended. The query for pending orders costs the server almost nothing, since pending
    // orders have a small table of their own.
    void WaitUntilNoneIsPending()
    {
        var since = Elapsed;
        while (!Send("GET /api/v1/orders?status=pending&limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8)
            .StartsWith("{\"items\":[],\"nextCursor\":null"u8))
        {
            if (Elapsed - since > Patience && command.MayGetStuck) return;
            if (Elapsed - since > Patience) throw new TimeoutException("Some orders are pending after two minutes.");
            Thread.Sleep(LookEvery);
        }
    }
}
