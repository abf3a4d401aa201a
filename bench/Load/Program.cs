// The load client, a process of its own so that its CPU is told apart. Each line on standard input is a load as JSON; it
// says "ready" when the requests are made and the connections open, starts at the next line, and ends with a line of JSON.
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Load;

while (Console.ReadLine() is { Length: > 0 } line)
{
    var command = JsonSerializer.Deserialize(line, LoadJson.Default.PlaceCommand)!;
    using var run = new PlaceRun(command);
    GC.Collect();
    Console.WriteLine("ready");
    if (Console.ReadLine() is null) return 0;
    Console.WriteLine(JsonSerializer.Serialize(run.Run(), LoadJson.Default.PlaceResult));
}
return 0;

namespace Orderwright.Load
{
    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(PlaceCommand))]
    [JsonSerializable(typeof(PlaceResult))]
    sealed partial class LoadJson : JsonSerializerContext;
}
