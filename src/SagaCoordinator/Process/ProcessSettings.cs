using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Settings of the process: <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class ProcessSettings
{
    /// <summary>
    /// File with the process of new orders (docs/how-to/add-a-step.md). Empty: the built-in process. Orders in flight finish on
    /// the version of their start.
    /// </summary>
    public string Process { get; set; } = "";

    /// <summary>Reads the file. Throws <see cref="InvalidSettingException"/> with every fault of the file.</summary>
    public static ProcessFile Read(IConfiguration configuration)
    {
        var path = configuration.Bind<ProcessSettings>().Process;
        if (path.Length == 0) return OrderSaga.BuiltIn;
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidSettingException($"ORDERWRIGHT_PROCESS is \"{path}\", which cannot be read: {error.Message}")
            {
                Setting = nameof(Process),
            };
        }
        var (file, faults) = ProcessFile.Parse(bytes);
        if (file is null) throw Invalid(path, faults);
        return file.Definition.Version == OrderSaga.BuiltIn.Definition.Version && file.Hash != OrderSaga.BuiltIn.Hash
            ? throw Invalid(
                path,
                [new("/version", "Version 1 is the built-in process: a process of your own has version 2 or a higher one.")])
            : file;
    }

    static InvalidSettingException Invalid(string path, IReadOnlyList<ProcessFault> faults)
    {
        var text = new StringBuilder($"ORDERWRIGHT_PROCESS is \"{path}\", which is not a valid process:");
        foreach (var fault in faults) text.Append($"\n  {fault}");
        return new InvalidSettingException(text.ToString()) { Setting = nameof(Process) };
    }
}
