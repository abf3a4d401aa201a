using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Orderwright.Load;

/// <summary>Reads single orders, drawn from the newest 1,000, or the list's first page.</summary>
sealed class ReadRun : Loop
{
    const int Orders = 1_000;
    const int PageSize = 200;

    readonly byte[][] requests;
    readonly Latencies latencies = new();

    public ReadRun(ReadCommand command) : base(command)
    {
        requests = command.Lists ? [Get("orders?limit=50")] : [.. Ids().Select(id => Get($"orders/{id}"))];
        new Random(command.Seed).Shuffle(requests);
    }

    public override LoadResult Run()
    {
        var stopped = Task.Run(Console.ReadLine);
        Run(int.MaxValue, () => stopped.IsCompleted);
        return new LoadResult(Answered, 0, 0, 0, Refused, Elapsed.TotalSeconds, latencies.Milliseconds());
    }

    protected override ReadOnlySpan<byte> RequestOf(int number) => requests[number % requests.Length];

    protected override void Take(int number, long since, Response response) =>
        latencies.Add(since, Stopwatch.GetTimestamp());

    List<string> Ids()
    {
        var ids = new List<string>();
        for (var cursor = ""; ids.Count < Orders;)
        {
            var page = Encoding.ASCII.GetString(
                Send(Get(string.Create(CultureInfo.InvariantCulture, $"orders?limit={PageSize}{cursor}"))));
            foreach (var item in page.Split("{\"id\":\"")[1..]) ids.Add(item[..36]);
            var next = page.Split("\"nextCursor\":\"");
            if (next.Length == 1) break;
            cursor = $"&cursor={next[1].Split('"')[0]}";
        }
        return ids;
    }

    static byte[] Get(string path) =>
        Encoding.ASCII.GetBytes($"GET /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
}
