using System.Security.Cryptography;
using System.Text.Json;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.Hosting.Keys;

/// <summary>
/// JSON file with API keys, named by <c>ORDERWRIGHT_KEYS</c>. A running service applies a change within a second.
/// </summary>
/// <remarks>
/// A change holds a lock (<c>keys.json.lock</c>), so that two changes at once lose nothing. The file is replaced as a whole by
/// renaming, and keeps its owner and mode; a new file is readable by its owner only.
/// </remarks>
public static class KeyFile
{
    static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(10);

    /// <summary>Throws <see cref="InvalidSettingException"/> for a missing or unreadable file.</summary>
    public static IReadOnlyList<ApiKey> Read(string path)
    {
        try
        {
            var keys = JsonSerializer.Deserialize(File.ReadAllBytes(path), KeyJson.Default.KeyList)?.Keys ?? [];
            keys = [.. keys.Select(Present)];
            foreach (var key in keys)
            {
                if (key.Scopes.FirstOrDefault(scope => !Scopes.All.Contains(scope)) is { } unknown)
                    throw new InvalidSettingException(
                        $"{Settings.Prefix}KEYS is \"{path}\": the key {key.Prefix} has the scope \"{unknown}\". " +
                        $"Allowed: {string.Join(", ", Scopes.All.Order())}.");
                if (key.Roles?.FirstOrDefault(role => !Roles.Table.ContainsKey(role)) is { } noRole)
                    throw new InvalidSettingException(
                        $"{Settings.Prefix}KEYS is \"{path}\": the key {key.Prefix} has the role \"{noRole}\". " +
                        $"Allowed: {string.Join(", ", Roles.All)}.");
                if (key.Channels is not { Count: > 0 } channels
                    || !channels.All(name => name == ChannelSet.Any || ChannelSet.IsName(name)))
                    throw new InvalidSettingException(
                        $"{Settings.Prefix}KEYS is \"{path}\": the channels of the key {key.Prefix} are " +
                        $"\"{string.Join(", ", key.Channels ?? [])}\". Allowed: names, or * for all.");
                if (keys.Count(other => other.Prefix == key.Prefix) > 1)
                    throw new InvalidSettingException(
                        $"{Settings.Prefix}KEYS is \"{path}\": the prefix {key.Prefix} occurs twice.");
                if (key.MaxDiscount is < 0 or > 100)
                    throw new InvalidSettingException(
                        $"{Settings.Prefix}KEYS is \"{path}\": the key {key.Prefix} has the maxDiscount {key.MaxDiscount}. " +
                        "Allowed: 0 to 100 percent.");
                if (Convert.FromBase64String(key.Hash).Length != SHA256.HashSizeInBytes)
                    throw new FormatException($"The hash of {key.Prefix} is not a SHA-256.");
            }
            return keys;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            throw new InvalidSettingException(
                $"{Settings.Prefix}KEYS is \"{path}\", which cannot be read as a key file: {error.Message} " +
                "Allowed: a file made by ./orderwright keys add.");
        }
    }

    /// <summary>Adds a key, creating the file if necessary; returns the token, to be shown once.</summary>
    public static string Add(
        string path, string name, IReadOnlyList<string> scopes, DateTimeOffset now, TimeSpan? expires = null,
        IReadOnlyList<string>? channels = null, int? maxDiscount = null, IReadOnlyList<string>? roles = null)
    {
        using var held = Lock(path);
        var keys = File.Exists(path) ? Read(path) : [];
        var (key, token) = ApiKey.Create(name, scopes, now, expires, channels, maxDiscount, roles);
        Write(path, [.. keys, key]);
        return token;
    }

    /// <summary>Revokes a key; false if unknown or already revoked.</summary>
    public static bool Revoke(string path, string prefix, DateTimeOffset now)
    {
        using var held = Lock(path);
        var keys = Read(path);
        if (!keys.Any(key => key.Prefix == prefix && key.RevokedAt is null)) return false;
        Write(path, [.. keys.Select(key => key.Prefix == prefix ? key with { RevokedAt = now } : key)]);
        return true;
    }

    // In files of release 0.1.0 a key has a merchant, and the scope payments includes customers and credit.
    static ApiKey Present(ApiKey key) => key.Merchant is not { } merchant ? key : key with
    {
        Channels = key.Channels ?? [merchant],
        Scopes = key.Scopes.Contains(Scopes.Payments)
            ? [.. key.Scopes.Union([Scopes.Customers, Scopes.Credit])] : key.Scopes,
    };

    static FileLock Lock(string path) => FileLock.Take(path + ".lock", LockLimit);

    static void Write(string path, IReadOnlyList<ApiKey> keys)
    {
        // A link keeps pointing at the file.
        var isNew = !File.Exists(path);
        var full = isNew ? Path.GetFullPath(path)
            : File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        var next = full + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.Delete(next);
        using (var stream = new FileStream(next, options))
        {
            var current = keys.Select(key => key with { Merchant = null });
            JsonSerializer.Serialize(stream, new KeyList([.. current]), KeyJson.Default.KeyList);
            stream.Flush(flushToDisk: true);
        }
        if (!isNew) FileOwner.Copy(full, next);
        File.Move(next, full, overwrite: true);
    }
}
