// The load client, a separate process so that its CPU time is known. Each line on standard input is a load as JSON; the
// client prints "ready" once the requests are built and the connections open, starts at the next line, and ends with a line
// of JSON.
using System.Text.Json;
using Orderwright.Load;

while (Console.ReadLine() is { Length: > 0 } line)
{
    using Loop loop = JsonSerializer.Deserialize(line, LoadJson.Default.LoadCommand) switch
    {
        PlaceCommand place => new PlaceRun(place),
        ReadCommand read => new ReadRun(read),
        _ => throw new InvalidOperationException("This is no load."),
    };
    GC.Collect();
    Console.WriteLine("ready");
    if (Console.ReadLine() is null) return;
    Console.WriteLine(JsonSerializer.Serialize(loop.Run(), LoadJson.Default.LoadResult));
}
