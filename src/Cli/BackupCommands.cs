using System.CommandLine;
using System.Globalization;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.LocalServers;
using Orderwright.Runtime.Database;

namespace Orderwright.Cli;

/// <summary>
/// <c>backup</c> and <c>restore</c>: copy the services' databases into a directory, one after another, and bring back any of
/// them. No common moment is needed, because <c>heal</c> repairs the differences.
/// </summary>
static class BackupCommands
{
    public static Command Backup()
    {
        var directory = new Argument<string>("directory") { Description = "Directory for the copies; created if missing." };
        var (data, postgres) = (CommonOptions.Data(), CommonOptions.Postgres());
        var verify = new Option<bool>("--verify")
        {
            Description =
                "Restore each copy of a PostgreSQL database into a scratch database, which needs the right to create databases. "
                + "Copies of SQLite files are always checked.",
        };
        var encrypt = new Option<string?>("--encrypt-with")
        {
            Description = "Shell command that encrypts each copy from standard input to standard output: 'age -r age1…'.",
        };
        var json = CommonOptions.Json();
        var command = new Command("backup", "Copy the databases of the four services, also while the services run.")
        {
            directory, data, postgres, verify, encrypt, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var target = parsed.GetValue(directory)!;
            var addresses = ServiceDatabases.Addresses(parsed.GetValue(data)!, parsed.GetValue(postgres));
            Directory.CreateDirectory(target);
            var copies = new List<(string Service, string File, DateTimeOffset At, long Bytes, TimeSpan Took)>();
            foreach (var (service, address) in addresses)
            {
                var (at, since) = (TimeProvider.System.GetUtcNow(), TimeProvider.System.GetTimestamp());
                var file = Path.Combine(target, Databases.BackupName(address, service));
                Task BackUpAsync(string to) => GuardAsync(Databases.BackUpAsync(
                    address, service, to, PrivatePostgres.FindBinaries(), parsed.GetValue(verify), cancel));
                if (parsed.GetValue(encrypt) is { } cipher)
                {
                    file += CopyCipher.Ending;
                    await WithScratchAsync(async plain =>
                    {
                        await BackUpAsync(plain);
                        await CopyCipher.RunAsync(cipher, plain, file, cancel);
                    });
                }
                else
                {
                    await BackUpAsync(file);
                }
                copies.Add((service, file, at, new FileInfo(file).Length, TimeProvider.System.GetElapsedTime(since)));
                output.Mark(true, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{service}: {file}, {copies[^1].Bytes / 1e6:F1} MB in {copies[^1].Took.TotalSeconds:F1} s"));
            }
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartArray();
                    foreach (var (service, file, at, bytes, took) in copies)
                    {
                        writer.WriteStartObject();
                        writer.WriteString("service", service);
                        writer.WriteString("file", file);
                        writer.WriteString("at", at);
                        writer.WriteNumber("bytes", bytes);
                        writer.WriteNumber("seconds", Math.Round(took.TotalSeconds, 3));
                        writer.WriteEndObject();
                    }
                    writer.WriteEndArray();
                });
            return Exit.Ok;
        });
        return command;
    }

    public static Command Restore()
    {
        var directory = new Argument<string>("directory") { Description = "Directory that backup has written." };
        var (data, postgres) = (CommonOptions.Data(), CommonOptions.Postgres());
        var only = new Option<string[]>("--service")
        {
            Description = "Service to restore; repeat the option for several. Default: all four.",
        };
        only.AcceptOnlyFromAmong([.. ServiceNames.All]);
        var decrypt = new Option<string?>("--decrypt-with")
        {
            Description = "Shell command that decrypts each copy from standard input to standard output: 'age -d -i key.txt'.",
        };
        var json = CommonOptions.Json();
        var command = new Command(
            "restore",
            "Replace the databases of stopped services by copies. A restored service accepts nothing but repairs until heal has "
            + "run, or heal --accept.")
        {
            directory, data, postgres, only, decrypt, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var source = parsed.GetValue(directory)!;
            var services = parsed.GetValue(only) is { Length: > 0 } named ? named : [.. ServiceNames.All];
            var addresses = ServiceDatabases.Addresses(parsed.GetValue(data)!, parsed.GetValue(postgres));
            foreach (var (service, address) in addresses.Where(pair => services.Contains(pair.Key)))
            {
                var cipher = parsed.GetValue(decrypt);
                var ending = cipher is null ? "" : CopyCipher.Ending;
                var file = Path.Combine(source, Databases.BackupName(address, service) + ending);
                if (!File.Exists(file)) throw new ToolException(Exit.Usage, $"{Path.GetFullPath(file)} does not exist.");
                var at = string.Create(CultureInfo.InvariantCulture, $"{File.GetLastWriteTimeUtc(file):yyyy-MM-dd HH:mm:ss} UTC");
                var reason = $"The database was restored from a copy of {at}. Run ./orderwright heal.";
                Task RestoreAsync(string from) => GuardAsync(Databases.RestoreAsync(
                    address, service, from, PrivatePostgres.FindBinaries(), reason, cancel));
                if (cipher is null)
                    await RestoreAsync(file);
                else
                    await WithScratchAsync(async plain =>
                    {
                        await CopyCipher.RunAsync(cipher, file, plain, cancel);
                        await RestoreAsync(plain);
                    });
                output.Mark(true, $"{service} is restored from {file}.");
            }
            output.Line("Purge the queues of RabbitMQ, start the services, and run ./orderwright heal.");
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartArray();
                    foreach (var service in services) writer.WriteStringValue(service);
                    writer.WriteEndArray();
                });
            return Exit.Ok;
        });
        return command;
    }

    // A plain copy in a directory that only this user may enter, deleted afterwards.
    static async Task WithScratchAsync(Func<string, Task> use)
    {
        var scratch = Directory.CreateTempSubdirectory("orderwright-copy-");
        try
        {
            await use(Path.Combine(scratch.FullName, "copy"));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    static async Task GuardAsync(Task work)
    {
        try
        {
            await work;
        }
        catch (DatabaseUnfitException error)
        {
            throw new ToolException(Exit.Failed, error.Message);
        }
        catch (DatabaseUnavailableException error)
        {
            throw new ToolException(Exit.Unreachable, $"A database is unavailable: {error.Message}");
        }
    }
}
