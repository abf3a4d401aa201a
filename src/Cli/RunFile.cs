using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.LocalServers;

namespace Orderwright.Cli;

/// <summary>
/// Content of <c>run.json</c>: addresses for <c>verify</c> and for further instances, and the processes of an <c>up</c>.
/// </summary>
/// <param name="Mode">Always <c>distributed</c>.</param>
/// <param name="Up">Process of <c>up</c> itself.</param>
/// <param name="Postgres">Connection string of each service.</param>
/// <param name="Rabbitmq">Broker's URL of each service.</param>
/// <param name="Urls">Address of each service.</param>
/// <param name="Processes">Services and private servers, as started last.</param>
sealed record RunFile(
    string Mode, ProcessIdentity? Up, IReadOnlyDictionary<string, string> Postgres,
    IReadOnlyDictionary<string, string> Rabbitmq, IReadOnlyDictionary<string, string> Urls,
    IReadOnlyList<ProcessIdentity> Processes)
{
    /// <summary>Reads the file of the last <c>up</c>; null without one, or with one of another form.</summary>
    public static RunFile? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), RunFileJson.Default.RunFile) : null;
        }
        catch (Exception error) when (error is JsonException or IOException)
        {
            return null;
        }
    }

    /// <summary>Replaces the file. It holds passwords, so only its owner may read it.</summary>
    public void Write(string path)
    {
        var next = path + ".new";
        File.Delete(next);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(next, options)) JsonSerializer.Serialize(stream, this, RunFileJson.Default.RunFile);
        File.Move(next, path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunFile))]
sealed partial class RunFileJson : JsonSerializerContext;
