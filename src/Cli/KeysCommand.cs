using System.CommandLine;
using System.Globalization;
using Orderwright.Hosting.Keys;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary><c>keys</c>: API keys in the file that the services read. A key is shown once, when it is made.</summary>
static class KeysCommand
{
    static string AllScopes => string.Join(", ", Scopes.All.Order(StringComparer.Ordinal));

    public static Command Create() => new("keys", "API keys: who may do what.") { Add(), List(), Revoke() };

    static Command Add()
    {
        var name = new Option<string>("--name") { Description = "Who will hold it.", Required = true };
        var scopes = new Option<string>("--scopes")
        {
            Description = $"Comma-separated: {AllScopes}.",
            Required = true,
        };
        var expires = new Option<string?>("--expires")
        {
            Description = "After how long it ends, such as 90d; never, if left out.",
        };
        var merchant = new Option<string>("--merchant")
        {
            Description = "Whose orders its holder sees.",
            DefaultValueFactory = _ => "main",
        };
        var file = FileOption();
        var json = Output.JsonOption();
        var command = new Command("add", "Make a key and show it, this once.") { name, scopes, expires, merchant, file, json };
        command.SetAction(parsed =>
        {
            var granted = parsed.GetValue(scopes)!.Split(
                ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (granted.Length == 0 || granted.FirstOrDefault(scope => !Scopes.All.Contains(scope)) is not null)
                throw new ToolException(Exit.Usage, $"--scopes is {parsed.GetValue(scopes)}. Allowed: {AllScopes}.");
            TimeSpan? after = null;
            if (parsed.GetValue(expires) is { } text && (after = Settings.Duration(text)) is null)
                throw new ToolException(Exit.Usage, $"--expires is {text}. Allowed: a time such as 12h or 90d.");
            var path = parsed.GetValue(file)!;
            var token = KeyFile.Add(
                path, parsed.GetValue(name)!, granted, DateTimeOffset.UtcNow, after, parsed.GetValue(merchant)!);
            var output = new Output(parsed.GetValue(json));
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("key", token);
                    writer.WriteString("file", Path.GetFullPath(path));
                    writer.WriteEndObject();
                });
            output.Line(token);
            output.Line(
                $"This is shown once. Services that run with ORDERWRIGHT_KEYS={Path.GetFullPath(path)} know it within a second.");
            return Exit.Ok;
        });
        return command;
    }

    static Command List()
    {
        var file = FileOption();
        var json = Output.JsonOption();
        var command = new Command("list", "The keys there are; their secrets are kept nowhere.") { file, json };
        command.SetAction(parsed =>
        {
            var output = new Output(parsed.GetValue(json));
            var keys = Read(parsed.GetValue(file)!);
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartArray();
                    foreach (var key in keys)
                    {
                        writer.WriteStartObject();
                        writer.WriteString("prefix", key.Prefix);
                        writer.WriteString("name", key.Name);
                        writer.WriteString("merchant", key.Merchant);
                        writer.WriteStartArray("scopes");
                        foreach (var scope in key.Scopes) writer.WriteStringValue(scope);
                        writer.WriteEndArray();
                        writer.WriteString("state", StateOf(key));
                        writer.WriteString("createdAt", key.CreatedAt);
                        if (key.ExpiresAt is { } at) writer.WriteString("expiresAt", at);
                        writer.WriteEndObject();
                    }
                    writer.WriteEndArray();
                });
            output.Table(
                ["prefix", "name", "merchant", "scopes", "state", "made", "expires"],
                keys.Select(key => new[]
                {
                    key.Prefix, key.Name, key.Merchant, string.Join(',', key.Scopes), StateOf(key), Day(key.CreatedAt),
                    key.ExpiresAt is { } at ? Day(at) : "never",
                }));
            return Exit.Ok;
        });
        return command;
    }

    static Command Revoke()
    {
        var prefix = new Argument<string>("prefix") { Description = "The 8 digits after ow_; see keys list." };
        var file = FileOption();
        var command = new Command("revoke", "Take a key back; running services refuse it within a second.") { prefix, file };
        command.SetAction(parsed =>
        {
            _ = Read(parsed.GetValue(file)!);
            if (!KeyFile.Revoke(parsed.GetValue(file)!, parsed.GetValue(prefix)!, DateTimeOffset.UtcNow))
                throw new ToolException(Exit.Failed, $"There is no key {parsed.GetValue(prefix)}, or it was taken back before.");
            Console.WriteLine($"{parsed.GetValue(prefix)} is taken back.");
            return Exit.Ok;
        });
        return command;
    }

    static IReadOnlyList<ApiKey> Read(string path) =>
        File.Exists(path) ? KeyFile.Read(path) : throw new ToolException(
            Exit.Failed, $"There is no key file {Path.GetFullPath(path)}; ./orderwright keys add makes one.");

    static string StateOf(ApiKey key) =>
        key.RevokedAt is not null ? "revoked" : key.ExpiresAt <= DateTimeOffset.UtcNow ? "expired" : "good";

    static string Day(DateTimeOffset at) => at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    static Option<string> FileOption() => new("--file")
    {
        Description = "The key file: ORDERWRIGHT_KEYS, else ./data/keys.json.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ORDERWRIGHT_KEYS") is { Length: > 0 } said
            ? said : "./data/keys.json",
    };
}
